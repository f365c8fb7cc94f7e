using System.Runtime.Intrinsics;

namespace Granary.Index.Fusion;

/// <summary>The order of places whose scores are equal.</summary>
internal interface IPlaceOrder
{
    /// <summary>Whether one comes before another.</summary>
    bool Precedes(int place, int other);
}

/// <summary>
/// The arithmetic of <see cref="ConvexFusion"/> on candidates that are numbers: places, from 0 on. What a leg adds is computed anew where
/// its scores were handed out.
/// </summary>
internal sealed class ConvexScores
{
    private const double LeastNormal = -1;
    private const double LeastSpread = 0.01;

    // So many of the best are kept in order while all are looked at; more are sorted.
    private const int FewBest = 64;

    private readonly List<Part> _parts = [];
    private readonly Stack<Part> _idle = new();
    private float[] _last = []; // The scores of the leg begun last.
    private float[] _sums = [];
    private float[] _finite = [];
    private int[] _keys = [];
    private int _weighted; // How many legs found anything when the sums were computed.

    /// <summary>How many legs there are.</summary>
    public int Legs => _parts.Count;

    /// <summary>How many places there are.</summary>
    public int Count { get; private set; }

    /// <summary>The sum of each place.</summary>
    public ReadOnlySpan<float> Sums => _sums.AsSpan(0, Count);

    /// <summary>How many legs found anything.</summary>
    public int Found
    {
        get
        {
            var found = 0;
            foreach (var part in _parts)
                found += part.Hits > 0 ? 1 : 0;
            return found;
        }
    }

    /// <summary>Begins a leg.</summary>
    /// <param name="scale">What its scores are measured against.</param>
    /// <param name="weight">How much it counts; 0 or less for not at all.</param>
    /// <param name="higherIsBetter">Whether larger scores are better.</param>
    /// <param name="hits">How many it found.</param>
    public void Begin(LegScale scale, float weight, bool higherIsBetter, int hits)
    {
        if (!_idle.TryPop(out var part))
            part = new Part();
        (part.Scale, part.Weight, part.Sign, part.Hits) = (scale, Math.Max(weight, 0f), higherIsBetter ? 1f : -1f, hits);
        part.Changed = true;
        part.Widen(Count + hits);
        _parts.Add(part);
        _last = part.Scores;
    }

    /// <summary>Says what score the leg begun last gives a place, which is at most one behind the last.</summary>
    public void Set(int place, float score)
    {
        _last[place] = score;
        if (place >= Count)
            Count = place + 1;
    }

    /// <summary>Ends the leg begun last.</summary>
    public void End()
    {
        foreach (var part in _parts)
            part.Widen(Count);
    }

    /// <summary>A leg's scores, to be read and filled in until they are combined; NaN where it gives none.</summary>
    public Span<float> Scores(int leg)
    {
        _parts[leg].Changed = true;
        return _parts[leg].Scores.AsSpan(0, Count);
    }

    /// <summary>Computes the sums.</summary>
    public void Combine()
    {
        Grow(ref _sums, Count);
        var sums = _sums.AsSpan(0, Count);
        sums.Clear();
        var (weights, found) = (0d, 0);
        foreach (var part in _parts)
        {
            weights += part.Hits > 0 ? part.Weight : 0f;
            found += part.Hits > 0 ? 1 : 0;
        }

        foreach (var part in _parts)
        {
            if (part.Hits == 0 || !(part.Weight > 0f))
                continue;
            if (part.Changed || found != _weighted)
                Weigh(part, part.Weight / weights);
            part.Changed = false;

            // No sum is ever -0, so that adding 0 is adding nothing.
            var added = part.Added.AsSpan(0, Count);
            for (var i = 0; i < sums.Length; i++)
                sums[i] += added[i];
        }

        _weighted = found;
    }

    /// <summary>Fills in the best places, the best first; as many as there is room for. Returns how many.</summary>
    public int Best<TOrder>(Span<int> places, in TOrder order)
        where TOrder : struct, IPlaceOrder
    {
        if (places.Length > FewBest)
            return Sorted(places, order);
        var sums = _sums.AsSpan(0, Count);
        var count = 0;
        for (var place = 0; place < sums.Length; place++)
        {
            var sum = sums[place];
            var at = count;
            while (at > 0 && Precedes(sum, place, sums[places[at - 1]], places[at - 1], order))
                at--;
            if (at >= places.Length)
                continue;
            count = Math.Min(count + 1, places.Length);
            for (var i = count - 1; i > at; i--)
                places[i] = places[i - 1];
            places[at] = place;
        }

        return count;
    }

    /// <summary>Forgets everything but the memory; that, too, where it is not to be kept.</summary>
    public void Clear(bool keep)
    {
        foreach (var part in _parts)
        {
            part.Width = 0;
            _idle.Push(part);
        }

        _parts.Clear();
        (Count, _weighted, _last) = (0, 0, []);
        if (keep)
            return;
        _idle.Clear();
        (_sums, _finite, _keys) = ([], [], []);
    }

    private int Sorted<TOrder>(Span<int> places, TOrder order)
        where TOrder : struct, IPlaceOrder
    {
        Grow(ref _keys, Count);
        var all = _keys.AsSpan(0, Count);
        for (var i = 0; i < all.Length; i++)
            all[i] = i;
        var sums = _sums;
        all.Sort((a, b) => a == b ? 0 : Precedes(sums[a], a, sums[b], b, order) ? -1 : 1);
        all = all[..Math.Min(all.Length, places.Length)];
        all.CopyTo(places);
        return all.Length;
    }

    private static bool Precedes<TOrder>(float sum, int place, float otherSum, int other, in TOrder order)
        where TOrder : struct, IPlaceOrder =>
        sum != otherSum ? sum > otherSum : order.Precedes(place, other);

    /// <summary>Computes what a leg adds to each place.</summary>
    private void Weigh(Part part, double weight)
    {
        Grow(ref _finite, Count);
        Grow(ref _keys, OrderStatistic.Room(Count));
        Grow(ref part.Added, Count);
        var scores = part.Scores.AsSpan(0, Count);
        var sign = part.Sign;

        // Turned so that larger is better. What is not finite sets no scale.
        var finite = 0;
        var best = float.NegativeInfinity;
        foreach (var score in scores)
        {
            if (!float.IsFinite(score))
                continue;
            best = Math.Max(best, sign * score);
            _finite[finite++] = sign * score;
        }

        double top = 0, spread = 0;
        if (finite > 0)
        {
            top = best;
            double zero = part.Scale == LegScale.Lexical
                ? 0 : OrderStatistic.Largest(_finite.AsSpan(0, finite), Math.Min(part.Hits, finite), _keys);
            spread = top - zero;
            if (part.Scale == LegScale.Similarity)
                spread = Math.Max(spread, LeastSpread * Math.Max(Math.Abs(top), Math.Abs(zero)));
        }

        var added = part.Added.AsSpan(0, Count);
        var at = spread > 0 ? Weigh(scores, sign, weight, top, spread, part.Scale, added) : 0;
        for (; at < scores.Length; at++)
        {
            double score = sign * scores[at];
            added[at] = double.IsNaN(score) ? 0f : (float)(weight * Normal(score, top, spread, part.Scale));
        }
    }

    /// <summary>The same arithmetic on as many as fill registers; returns how many these are.</summary>
    private static int Weigh(
        ReadOnlySpan<float> scores, float sign, double weight, double best, double spread, LegScale scale, Span<float> added)
    {
        var at = 0;
        for (; at <= scores.Length - Vector256<float>.Count; at += Vector256<float>.Count)
        {
            var score = Vector256.Create(scores[at..]) * sign;
            var (low, high) = Vector256.Widen(score);
            var sum = Vector256.Narrow(Weigh(low, weight, best, spread, scale), Weigh(high, weight, best, spread, scale));
            Vector256.ConditionalSelect(Vector256.Equals(score, score), sum, Vector256<float>.Zero).CopyTo(added[at..]);
        }

        return at;
    }

    private static Vector256<double> Weigh(Vector256<double> score, double weight, double best, double spread, LegScale scale)
    {
        var top = Vector256.Create(best);
        var normal = Vector256<double>.One - ((top - score) / Vector256.Create(spread));
        normal = Vector256.Max(normal, Vector256.Create(scale == LegScale.Lexical ? 0 : LeastNormal));
        normal = Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(score, top), Vector256<double>.One, normal);
        return Vector256.Create(weight) * (scale == LegScale.Lexical ? normal * normal : normal);
    }

    private static double Normal(double score, double best, double spread, LegScale scale)
    {
        var least = scale == LegScale.Lexical ? 0 : LeastNormal;
        var normal = score >= best ? 1 : spread > 0 ? Math.Max(1 - ((best - score) / spread), least) : least;
        return scale == LegScale.Lexical ? normal * normal : normal;
    }

    private static void Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
            array = new T[Math.Max(256, length * 2)];
    }

    private sealed class Part
    {
        public float[] Scores = [];
        public float[] Added = [];
        public int Width;
        public int Hits;
        public float Weight;
        public float Sign;
        public LegScale Scale;
        public bool Changed;

        public void Widen(int width)
        {
            if (Scores.Length < width)
                Array.Resize(ref Scores, Math.Max(256, width * 2));
            if (Width >= width)
                return;
            Scores.AsSpan(Width, width - Width).Fill(float.NaN);
            Width = width;
        }
    }
}
