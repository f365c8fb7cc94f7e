using Granary.Index.Filters;
using Granary.Index.Partition;
using Granary.Index.Search;
using Granary.Index.Text;
using Granary.Index.Vectors;

namespace Granary.Index;

/// <summary>
/// A leg of a reader that is going to be combined with others: what it found, by the slots that all legs of a reader have in common, and
/// what its search prepared, kept for scoring the points that others found. <see cref="Open"/>, <see cref="Search"/>, and
/// <see cref="Close"/> before the reader is disposed; then it may be opened again. By one thread at a time, but for
/// <see cref="ScoreAhead"/>.
/// </summary>
public sealed class RankedLeg
{
    private const int MostKept = 4096;
    private readonly List<SlotHit> _hits = [];
    private TextField.PreparedQuery _text = new();
    private IndexReader _reader = null!;
    private Leg _leg = null!;
    private Field? _field;
    private FilterPlan? _plan;
    private DenseQuery? _query;
    private bool _prepared;
    private int[] _places = [];
    private int[] _rows = [];
    private float[] _found = [];
    private float[] _ahead = [];

    /// <summary>Whether larger scores are better.</summary>
    public bool HigherIsBetter { get; private set; }

    /// <summary>How many points it found.</summary>
    public int Count => _hits.Count;

    /// <summary>What it found, best first, ties by id.</summary>
    internal List<SlotHit> Hits => _hits;

    /// <summary>The leg.</summary>
    internal Leg Leg => _leg;

    /// <summary>The dense field whose vectors are compared with a query that can be moved; null where there is none.</summary>
    internal DenseColumn? Moves => _field as DenseColumn;

    /// <summary>Which of the legs that are combined have scored the hits ahead, a bit each.</summary>
    internal int AheadBy { get; private set; }

    /// <summary>Begins a leg of a reader.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="leg">Over dense or sparse vectors or text; not with statistics that may be outdated.</param>
    public void Open(IndexReader reader, Leg leg)
    {
        if (leg is not (DenseLeg or SparseLeg or TextLeg { Known: null }))
            throw new ArgumentException($"{leg.GetType().Name} is not ranked by a field, or may be outdated.", nameof(leg));
        (_reader, _leg) = (reader, leg);
        _field = reader.FieldOf(leg);
        if (_field is DenseColumn column)
            _query = DenseQueries.Rent(column.Vectors.Schema);
    }

    /// <summary>Runs it.</summary>
    /// <exception cref="GranaryException">The leg names an unknown field or has the wrong dimensions.</exception>
    public void Search(CancellationToken cancellation)
    {
        _plan = _reader.View.Plan(_leg.Filter);
        HigherIsBetter = _reader.Search(_leg, _plan, this, cancellation);
    }

    /// <summary>
    /// Has those of some legs that can do it beside their own search score the hits: what they give does not differ from what is asked of
    /// them later. For the thread that has searched this leg, while another searches the others.
    /// </summary>
    /// <param name="legs">All legs that are combined, in their order.</param>
    public void ScoreAhead(IReadOnlyList<RankedLeg> legs)
    {
        for (var i = 0; i < legs.Count && i < 32; i++)
        {
            // A plan may be asked by one thread at a time.
            var leg = legs[i];
            if (ReferenceEquals(leg, this) || leg._leg.Filter is not null || leg._field is not DenseColumn
                || !Volatile.Read(ref leg._prepared))
                continue;
            if (AheadBy == 0 && _ahead.Length < legs.Count * Count)
                _ahead = new float[legs.Count * Math.Max(Count, 64)];
            Room(Count);
            var count = 0;
            var scores = Ahead(i);
            scores.Fill(float.NaN);
            for (var hit = 0; hit < scores.Length; hit++)
            {
                if (leg._field.RowOf(_hits[hit].Slot) is var row && row >= 0)
                    (_places[count], _rows[count++]) = (hit, row);
            }

            leg.ScoreRows(_places.AsSpan(0, count), _rows.AsSpan(0, count), _found, scores);
            AheadBy |= 1 << i;
        }
    }

    /// <summary>The scores that a leg has given the hits ahead; NaN where it would not have them.</summary>
    internal Span<float> Ahead(int leg) => _ahead.AsSpan(leg * Count, Count);

    /// <summary>
    /// Gives the points whose score is NaN the leg's score of them, bit-equal to what a search finds; it stays NaN where the leg would
    /// not have them (<see cref="IndexReader.Complete"/>).
    /// </summary>
    internal void Complete(ReadOnlySpan<int> slots, Span<float> scores, CancellationToken cancellation)
    {
        Room(slots.Length);
        var count = 0;
        for (var i = 0; i < slots.Length; i++)
        {
            if (!float.IsNaN(scores[i]))
                continue;
            if (_field is null)
                (_places[count], count) = (i, count + 1);
            else if (_field.RowOf(slots[i]) is var row && row >= 0 && (_plan is null || _plan.Matches(slots[i])))
                (_places[count], _rows[count++]) = (i, row);
        }

        if (count == 0)
            return;
        if (_field is null)
            CompleteById(_places.AsSpan(0, count), slots, scores, cancellation);
        else
            ScoreRows(_places.AsSpan(0, count), _rows.AsSpan(0, count), _found, scores);
    }

    /// <summary>Replaces the scores that are not NaN by the similarity to another vector.</summary>
    internal void Rescore(ReadOnlySpan<float> vector, ReadOnlySpan<int> slots, Span<float> scores)
    {
        var column = (DenseColumn)_field!;
        Room(slots.Length);
        var count = 0;
        for (var i = 0; i < slots.Length; i++)
        {
            if (float.IsNaN(scores[i]))
                continue;
            scores[i] = float.NaN;
            if (column.RowOf(slots[i]) is var row && row >= 0)
                (_places[count], _rows[count++]) = (i, row);
        }

        // Nobody asks for scores by the query as it was any more.
        _query!.SetExact(vector);
        column.Vectors.Score(_query, _rows.AsSpan(0, count), _found);
        for (var i = 0; i < count; i++)
            scores[_places[i]] = _found[i];
    }

    /// <summary>Ends the leg; no thread uses it any more.</summary>
    public void Close()
    {
        if (_query is not null)
            DenseQueries.Return(_query);
        _plan?.Dispose();
        (_reader, _leg, _field, _plan, _query) = (null!, null!, null, null, null);
        (_prepared, AheadBy) = (false, 0);
        _hits.Clear();
        if (_hits.Capacity > MostKept)
            _hits.Capacity = 0;
        if (_rows.Length > MostKept)
            (_places, _rows, _found, _ahead) = ([], [], [], []);
        if (!_text.Clear())
            _text = new TextField.PreparedQuery();
    }

    /// <summary>Prepares the query of a dense leg.</summary>
    internal DenseQuery? Prepare(DenseColumn column, DenseLeg leg)
    {
        if (!ReferenceEquals(column, _field))
            return null;
        _query!.Set(leg.Query.Span);
        Volatile.Write(ref _prepared, true);
        return _query;
    }

    /// <summary>Prepares the query of a leg over text.</summary>
    internal TextField.PreparedQuery? Prepare(TextColumn column, TextLeg leg)
    {
        if (!ReferenceEquals(column, _field))
            return null;
        column.Postings.Prepare(_text, leg.Text, leg.Statistics);
        _prepared = true;
        return _text;
    }

    /// <summary>Scores rows of the leg's field that it would have but for its threshold.</summary>
    private void ScoreRows(ReadOnlySpan<int> places, ReadOnlySpan<int> rows, Span<float> found, Span<float> scores)
    {
        if (_field is DenseColumn column)
            column.Vectors.Score(_query!, rows, found);
        else
            ScoreText((TextColumn)_field!, (TextLeg)_leg, rows, found);
        var higherIsBetter = _field is not DenseColumn dense || dense.Vectors.Schema.Distance.HigherIsNearer();
        for (var i = 0; i < rows.Length; i++)
        {
            if (_leg.Admits(found[i], higherIsBetter))
                scores[places[i]] = found[i];
        }
    }

    private void ScoreText(TextColumn column, TextLeg leg, ReadOnlySpan<int> rows, Span<float> found)
    {
        if (!_prepared)
            Prepare(column, leg);
        column.Postings.ScoreDocs(_text, rows, found, leg.EveryTerm);
    }

    private void CompleteById(ReadOnlySpan<int> places, ReadOnlySpan<int> slots, Span<float> scores, CancellationToken cancellation)
    {
        var ids = new PointId[places.Length];
        for (var i = 0; i < places.Length; i++)
            ids[i] = _reader.View.IdOf(slots[places[i]]);
        var found = _found.AsSpan(0, places.Length);
        found.Fill(float.NaN);
        _reader.Complete(_leg, ids, found, cancellation);
        for (var i = 0; i < places.Length; i++)
            scores[places[i]] = found[i];
    }

    private void Room(int count)
    {
        if (_rows.Length >= count)
            return;
        var length = Math.Max(256, count * 2);
        (_places, _rows, _found) = (new int[length], new int[length], new float[length]);
    }
}
