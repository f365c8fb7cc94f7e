using System.Numerics;
using System.Runtime.InteropServices;
using Granary.Index.Fusion;
using Granary.Index.Partition;
using Granary.Index.Search;

namespace Granary.Index;

/// <summary>
/// <see cref="ConvexFusion"/> with <see cref="Feedback"/> over the legs of one reader, where slots stand for points from beginning to end:
/// the same scores and order, to the bit. <see cref="Add"/> each leg when all are searched, then <see cref="Rank"/>. Not thread-safe; to
/// be used again after <see cref="Clear"/>.
/// </summary>
public sealed class ConvexRanking
{
    private const int MostKept = 8192;
    private readonly List<RankedLeg> _legs = [];
    private readonly ConvexScores _scores = new();
    private int[] _cells = []; // Open addressing: a place + 1, or 0.
    private int[] _slots = []; // Of places.
    private int[] _order = [];
    private float[] _moved = [];
    private int _count;

    private ReadOnlySpan<int> Slots => _slots.AsSpan(0, _count);

    /// <summary>Adds a leg.</summary>
    /// <param name="leg">The leg, searched.</param>
    /// <param name="scale">What its scores are measured against.</param>
    /// <param name="weight">How much it counts; 0 or less for not at all.</param>
    public void Add(RankedLeg leg, LegScale scale, float weight)
    {
        _legs.Add(leg);
        Reserve(_count + leg.Count);
        _scores.Begin(scale, weight, leg.HigherIsBetter, leg.Count);
        foreach (var hit in CollectionsMarshal.AsSpan(leg.Hits))
            _scores.Set(PlaceOf(hit.Slot), hit.Score);
        _scores.End();
    }

    /// <summary>Appends the ranking: the largest score first, ties by id. Where only one leg found anything its order stands.</summary>
    /// <param name="reader">Whose legs they are.</param>
    /// <param name="feedback">How many of the best points move the dense queries; 0 for none.</param>
    /// <param name="limit">How many are wanted.</param>
    /// <param name="hits">Receives them.</param>
    /// <param name="cancellation">Ends it early with an exception.</param>
    public void Rank(IndexReader reader, int feedback, int limit, List<SlotHit> hits, CancellationToken cancellation)
    {
        var several = _scores.Found > 1;
        if (several)
            Complete(cancellation);
        _scores.Combine();
        if (several && feedback > 0 && Move(reader, feedback))
            _scores.Combine();
        limit = Math.Min(limit, _count);
        var sums = _scores.Sums;
        if (!several)
        {
            for (var place = 0; place < limit; place++)
                hits.Add(new SlotHit(_slots[place], sums[place]));
            return;
        }

        if (_order.Length < limit)
            _order = new int[Math.Max(64, limit * 2)];
        foreach (var place in _order.AsSpan(0, _scores.Best(_order.AsSpan(0, limit), Order(reader))))
            hits.Add(new SlotHit(_slots[place], sums[place]));
    }

    /// <summary>Forgets everything but the memory; that, too, after more candidates than most queries have.</summary>
    public void Clear()
    {
        var keep = _count <= MostKept;
        ClearCells();
        _legs.Clear();
        _scores.Clear(keep);
        _count = 0;
        if (!keep)
            (_cells, _slots, _order) = ([], [], []);
    }

    /// <summary>Has every leg that found anything score every candidate: from what was scored ahead, as far as that goes.</summary>
    private void Complete(CancellationToken cancellation)
    {
        foreach (var leg in _legs)
        {
            for (var by = leg.AheadBy; by != 0; by &= by - 1)
            {
                var number = BitOperations.TrailingZeroCount(by);
                if (_legs[number].Count == 0)
                    continue;
                var scores = _scores.Scores(number);
                var ahead = leg.Ahead(number);
                for (var hit = 0; hit < ahead.Length; hit++)
                {
                    ref var score = ref scores[PlaceOf(leg.Hits[hit].Slot)];
                    score = float.IsNaN(score) ? ahead[hit] : score;
                }
            }
        }

        for (var i = 0; i < _legs.Count; i++)
        {
            if (_legs[i].Count > 0)
                _legs[i].Complete(Slots, _scores.Scores(i), cancellation);
        }
    }

    /// <summary>Scores the candidates anew by the dense queries moved towards the best points.</summary>
    private bool Move(IndexReader reader, int points)
    {
        Span<int> best = stackalloc int[Feedback.MaxPoints];
        best = best[..points];
        best = best[.._scores.Best(best, Order(reader))];
        var any = false;
        for (var i = 0; i < _legs.Count; i++)
        {
            if (_legs[i].Count == 0 || _legs[i].Moves is not { } column)
                continue;
            any = true;
            var query = ((DenseLeg)_legs[i].Leg).Query.Span;
            if (_moved.Length < query.Length)
                _moved = new float[query.Length];
            var moved = _moved.AsSpan(0, query.Length);
            if (TryMove(column, query, best, moved))
                _legs[i].Rescore(moved, Slots, _scores.Scores(i));
        }

        return any;
    }

    /// <summary>False where none of the points has a vector.</summary>
    private bool TryMove(DenseColumn column, ReadOnlySpan<float> query, ReadOnlySpan<int> best, Span<float> moved)
    {
        Span<int> rows = stackalloc int[Feedback.MaxPoints];
        var found = 0;
        foreach (var place in best)
        {
            if (column.RowOf(_slots[place]) is var row && row >= 0)
                rows[found++] = row;
        }

        var vectors = column.Vectors;
        var distance = vectors.Schema.Distance;
        if (found == 2)
        {
            Feedback.Move(distance, query, vectors.Vector(rows[0]), vectors.Vector(rows[1]), moved);
        }
        else if (found > 0)
        {
            Feedback.Begin(distance, query, moved);
            foreach (var row in rows[..found])
                Feedback.Add(distance, vectors.Vector(row), found, moved);
        }

        return found > 0;
    }

    private ById Order(IndexReader reader) => new(reader.View.Slots, _slots);

    /// <summary>The place of a slot, a new one where it has none.</summary>
    private int PlaceOf(int slot)
    {
        var mask = _cells.Length - 1;
        for (var at = CellOf(slot) & mask; ; at = (at + 1) & mask)
        {
            var place = _cells[at] - 1;
            if (place < 0)
            {
                _slots[_count] = slot;
                _cells[at] = ++_count;
                return _count - 1;
            }

            if (_slots[place] == slot)
                return place;
        }
    }

    private void ClearCells()
    {
        if (_count * 8L > _cells.Length)
        {
            _cells.AsSpan().Clear();
            return;
        }

        // Between where a slot belongs and where it stands no cell is empty.
        var mask = _cells.Length - 1;
        foreach (var slot in Slots)
        {
            for (var at = CellOf(slot) & mask; _cells[at] != 0; at = (at + 1) & mask)
                _cells[at] = 0;
        }
    }

    private static int CellOf(int slot) => (int)(((uint)slot * 0x9E37_79B1u) >> 8);

    // Half of the cells stay empty at least.
    private void Reserve(int places)
    {
        if (places * 2L <= _cells.Length)
            return;
        Array.Resize(ref _slots, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(256, places)));
        _cells = new int[_slots.Length * 2];
        var count = _count;
        _count = 0;
        for (var place = 0; place < count; place++)
            PlaceOf(_slots[place]);
    }

    private readonly struct ById(SlotTable table, int[] slots) : IPlaceOrder
    {
        public bool Precedes(int place, int other) => table.IdOf(slots[place]) < table.IdOf(slots[other]);
    }
}
