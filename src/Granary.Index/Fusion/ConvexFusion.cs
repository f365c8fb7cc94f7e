using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Fusion;

/// <summary>What a leg's scores are measured against.</summary>
public enum LegScale : byte
{
    /// <summary>
    /// Scores that count what is shared (BM25, sparse vectors): 0 says nothing is. Normalised by the best: (s / max)^2.
    /// </summary>
    Lexical,

    /// <summary>
    /// Scores without a zero of their own (similarities, distances): normalised so that the best is 1 and the n-th best of the
    /// candidates 0, n being how many hits the leg gave; what is worse goes on below 0, to -1. The n-th best is taken to be a hundredth
    /// worse than the best at least, so that hits that differ by a rounding error are ranked like hits that are equal.
    /// </summary>
    Similarity,
}

/// <summary>
/// A convex combination of normalised scores (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", 2023) over
/// candidates that every leg has scored: score(p) = sum of w_l * norm_l(s_l(p)) / sum of w_l, over the legs that found anything. The
/// order of use: <see cref="Add(LegScale, float, bool, ReadOnlySpan{LegHit})"/> each leg, fill <see cref="Scores"/> where a leg knows a
/// candidate it did not find, <see cref="Combine"/>, and again after scores were changed. Not thread-safe; to be used again after
/// <see cref="Clear"/>. docs/quality.md says where the constants come from and what else was tried.
/// </summary>
public sealed class ConvexFusion
{
    /// <summary>The weight of a <see cref="LegScale.Lexical"/> leg.</summary>
    public const float LexicalWeight = 1f;

    /// <summary>The weight of a <see cref="LegScale.Similarity"/> leg.</summary>
    public const float SimilarityWeight = 0.55f;

    private const int MostKept = 8192;
    private const double LeastNormal = -1;
    private const double LeastSpread = 0.01;

    private readonly Dictionary<PointId, int> _places = [];
    private readonly List<Part> _parts = [];
    private readonly Stack<Part> _idle = new();
    private readonly List<PointId> _ids = [];
    private Comparison<int>? _byScore;
    private float[] _sums = [];
    private float[] _sorted = [];
    private int[] _order = [];

    /// <summary>How many legs were added.</summary>
    public int Legs => _parts.Count;

    /// <summary>The candidates: every point that a leg found.</summary>
    public ReadOnlySpan<PointId> Ids => CollectionsMarshal.AsSpan(_ids);

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

    /// <summary>The weight a leg has where the caller names none.</summary>
    public static float WeightOf(LegScale scale) => scale == LegScale.Lexical ? LexicalWeight : SimilarityWeight;

    /// <summary>Adds a leg; its scores of candidates it did not find are NaN until they are filled in.</summary>
    /// <param name="scale">What its scores are measured against.</param>
    /// <param name="weight">How much it counts; 0 or less for not at all.</param>
    /// <param name="higherIsBetter">Whether larger scores are better.</param>
    /// <param name="hits">Best first.</param>
    [OverloadResolutionPriority(1)]
    public void Add(LegScale scale, float weight, bool higherIsBetter, List<LegHit> hits) =>
        Add(scale, weight, higherIsBetter, CollectionsMarshal.AsSpan(hits));

    /// <inheritdoc cref="Add(LegScale, float, bool, List{LegHit})"/>
    public void Add(LegScale scale, float weight, bool higherIsBetter, ReadOnlySpan<LegHit> hits)
    {
        if (!_idle.TryPop(out var part))
            part = new Part();
        (part.Scale, part.Weight, part.Sign, part.Hits) = (scale, Math.Max(weight, 0f), higherIsBetter ? 1f : -1f, hits.Length);
        _parts.Add(part);
        foreach (ref readonly var hit in hits)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, hit.Id, out var known);
            if (!known)
            {
                place = _ids.Count;
                _ids.Add(hit.Id);
            }

            Widen(part, _ids.Count);
            part.Scores[place] = hit.Score;
        }

        foreach (var other in _parts)
            Widen(other, _ids.Count);
    }

    /// <summary>Where in <see cref="Ids"/> a point is; -1 where it is no candidate.</summary>
    public int PlaceOf(PointId id) => _places.TryGetValue(id, out var place) ? place : -1;

    /// <summary>A leg's scores of <see cref="Ids"/>, to be read and filled in; NaN where it gives none.</summary>
    public Span<float> Scores(int leg) => _parts[leg].Scores.AsSpan(0, _ids.Count);

    /// <summary>
    /// Computes the candidates' scores. A point that a leg gives no score counts there as a lexical leg's 0 or as a similarity leg's last
    /// hit; an infinite score as the leg's best or worst. Never falls with a leg's score of a point as long as the best and the n-th
    /// best of that leg stay.
    /// </summary>
    public void Combine()
    {
        var count = _ids.Count;
        Grow(ref _sums, count);
        Grow(ref _sorted, count);
        var sums = _sums.AsSpan(0, count);
        sums.Clear();
        var weights = 0d;
        foreach (var part in _parts)
            weights += part.Hits > 0 ? part.Weight : 0f;
        foreach (var part in _parts)
        {
            if (part.Hits > 0 && part.Weight > 0f)
                AddTo(sums, part, part.Weight / weights);
        }
    }

    /// <summary>
    /// Fills in the places in <see cref="Ids"/> of the best candidates, the best first, ties by id; as many as there is room for. Returns
    /// how many.
    /// </summary>
    public int Best(Span<int> places)
    {
        var count = 0;
        for (var place = 0; place < _ids.Count; place++)
        {
            var at = count;
            while (at > 0 && Precedes(place, places[at - 1]))
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

    /// <summary>Appends the ranking: the largest score first, ties by id. Where only one leg found anything its order stands.</summary>
    /// <param name="limit">How many are wanted.</param>
    /// <param name="hits">Receives them.</param>
    public void Rank(int limit, List<LegHit> hits)
    {
        var count = Math.Min(limit, _ids.Count);
        if (Found > 1)
        {
            Grow(ref _order, _ids.Count);
            var order = _order.AsSpan(0, _ids.Count);
            for (var i = 0; i < order.Length; i++)
                order[i] = i;
            if (count * 8 < order.Length)
                count = Best(order[..count]);
            else
                order.Sort(_byScore ??= Compare);
        }

        for (var i = 0; i < count; i++)
        {
            var place = Found > 1 ? _order[i] : i;
            hits.Add(new LegHit(_ids[place], _sums[place]));
        }
    }

    /// <summary>Forgets everything but the memory; that, too, after more candidates than most queries have.</summary>
    public void Clear()
    {
        var large = _ids.Count > MostKept;
        foreach (var part in _parts)
        {
            part.Width = 0;
            _idle.Push(part);
        }

        _parts.Clear();
        if (large)
        {
            _idle.Clear();
            _places.Clear();
            _places.TrimExcess();
            _ids.Clear();
            _ids.Capacity = 0;
            (_sums, _sorted, _order) = ([], [], []);
            return;
        }

        _places.Clear();
        _ids.Clear();
    }

    private void AddTo(Span<float> sums, Part part, double weight)
    {
        // Turned so that larger is better. What is not finite sets no scale.
        var finite = 0;
        for (var i = 0; i < sums.Length; i++)
        {
            if (float.IsFinite(part.Scores[i]))
                _sorted[finite++] = part.Sign * part.Scores[i];
        }

        var sorted = _sorted.AsSpan(0, finite);
        sorted.Sort();
        double best = 0, spread = 0;
        if (finite > 0)
        {
            best = sorted[^1];
            double zero = part.Scale == LegScale.Lexical ? 0 : sorted[^Math.Min(part.Hits, finite)];
            spread = best - zero;
            if (part.Scale == LegScale.Similarity)
                spread = Math.Max(spread, LeastSpread * Math.Max(Math.Abs(best), Math.Abs(zero)));
        }

        for (var i = 0; i < sums.Length; i++)
        {
            double score = part.Sign * part.Scores[i];
            if (!double.IsNaN(score))
                sums[i] += (float)(weight * Normal(score, best, spread, part.Scale));
        }
    }

    private static double Normal(double score, double best, double spread, LegScale scale)
    {
        var least = scale == LegScale.Lexical ? 0 : LeastNormal;
        var normal = score >= best ? 1 : spread > 0 ? Math.Max(1 - ((best - score) / spread), least) : least;
        return scale == LegScale.Lexical ? normal * normal : normal;
    }

    private bool Precedes(int place, int other) => Compare(place, other) < 0;

    private int Compare(int a, int b) =>
        _sums[a] != _sums[b] ? _sums[b].CompareTo(_sums[a]) : _ids[a].CompareTo(_ids[b]);

    private static void Widen(Part part, int width)
    {
        if (part.Scores.Length < width)
            Array.Resize(ref part.Scores, Math.Max(256, width * 2));
        for (; part.Width < width; part.Width++)
            part.Scores[part.Width] = float.NaN;
    }

    private static void Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
            array = new T[Math.Max(256, length * 2)];
    }

    private sealed class Part
    {
        public float[] Scores = [];
        public int Width;
        public int Hits;
        public float Weight;
        public float Sign;
        public LegScale Scale;
    }
}
