using Granary.Index.Postings;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <summary>
/// Block-Max Pruning (Mallia, Suel and Tonellotto, "Faster Learned Sparse Retrieval with Block-Max Pruning", 2024) for exact BM25: the
/// bounds of all terms are added for every cell of 16 rows, then the cells that promise most are scored, and then those left
/// whose bound is above the k-th score. Scores are exact: bounds only choose. An object holds a query's working memory and is
/// reused.
/// </summary>
internal sealed partial class TextSearch
{
    // Bounds are added in 16 bits: all parts together reach this, which leaves room for rounding up.
    private const int FullBound = 50_000;

    // So many parts have room for it; more are merged.
    private const int MostParts = 5_000;

    // A thread keeps no more than this from one search to the next.
    private const int MostPartsKept = 1024;
    private const int MostHitsKept = 16_384;

    // More searches than one where each begins in the middle of another (ScoreFloor.WhenPassed).
    private const int MostIdle = 8;

    [ThreadStatic]
    private static Stack<TextSearch>? _idle;

    private readonly TopHits _top = new();
    private readonly List<TextPart> _spare = [];
    private TextPart[] _parts = new TextPart[16];
    private int _count;
    private ushort[] _bounds = []; // Of cells.
    private ushort[] _peaks = []; // Of as many cells as a vector has lanes.
    private RowTable<TextRow> _rows = null!;
    private TextScorer _scorer;
    private CancellationToken _cancellation;
    private ScoreFloor? _shared;
    private float _reached; // By the shared floor, when last looked at.
    private bool _passed; // Whether the others were let begin.
    private double _floor; // Rows whose sum is not above this are of no interest.
    private double _steps; // What a unit of scores is in steps of the added bounds.
    private int _cut; // Cells whose added bounds are not above this are of no interest.
    private int _rowEnd;
    private int _required; // Terms a row must have; 0 for any.

    /// <summary>This thread's working memory, or new where it is in use.</summary>
    public static TextSearch Rent(RowTable<TextRow> rows, in TextScorer scorer)
    {
        var search = _idle is { } idle && idle.TryPop(out var known) ? known : new TextSearch();
        search._rows = rows;
        search._scorer = scorer;

        // A search that was cancelled left cells chosen.
        search._chosenCount = 0;
        return search;
    }

    /// <summary>Gives working memory back.</summary>
    public static void Return(TextSearch search)
    {
        for (var i = 0; i < search._count; i++)
            search.Release(search._parts[i]);
        search._count = 0;
        search._rows = null!;
        search._scorer = default;
        search._shared = null;
        search._cancellation = default;
        if (search._spare.Count <= MostPartsKept && search._top.Capacity <= MostHitsKept)
        {
            var idle = _idle ??= new Stack<TextSearch>();
            if (idle.Count < MostIdle)
                idle.Push(search);
        }
    }

    /// <summary>Adds the terms of the query.</summary>
    public void Add(ReadOnlySpan<TextField.Term> terms)
    {
        var step = Saturation.StepAbove(_scorer.Average);
        foreach (var term in terms)
            term.PrefetchLayout();
        for (var i = 0; i < terms.Length; i++)
        {
            if (terms[i].WholeFor(step) is { } impacts)
                AddPart(terms[i], i, impacts);
            else
                Add(terms[i], i, step);
        }
    }

    private void Add(TextField.Term term, int number, int step)
    {
        var view = term.Postings.Current;
        var tail = view.TailCount;
        var covered = 0;
        if (term.ImpactsFor(view, tail, step, _rows) is { } impacts)
        {
            AddPart(term, number, impacts);
            covered = impacts.Count;
        }

        // More is covered where a reader that saw more made it.
        if (covered >= ((view.Blocks?.Count ?? 0) * BlockCodec.Size) + tail)
            return;
        var part = AddPart(term, number, null);
        part.Own.Clear();
        part.Own.Append(view, tail, covered, new ImpactRule(_rows, term.SaturationAt(step)));
        part.Open(part.Own);
    }

    /// <summary>Appends the k best rows below <paramref name="rowEnd"/>, best first.</summary>
    /// <param name="rowEnd">One more than the last row looked at.</param>
    /// <param name="k">How many.</param>
    /// <param name="required">How many terms there are, where a row must have all; 0 where one is enough.</param>
    /// <param name="filter">Asked about rows that would be among the best.</param>
    /// <param name="hits">Receives them.</param>
    /// <param name="shared">What others who search the same query have found; hits below it may lack. Null: nobody does.</param>
    /// <param name="cancellation">Ends the search early with an exception.</param>
    public void Run<TFilter>(
        int rowEnd, int k, int required, ref TFilter filter, List<SlotHit> hits, ScoreFloor? shared, CancellationToken cancellation)
        where TFilter : struct, ISlotFilter
    {
        if (k <= 0 || _count == 0)
            return;
        _cancellation = cancellation;
        cancellation.ThrowIfCancellationRequested();
        _top.Reset(k);
        _rowEnd = rowEnd;
        _required = required;
        _floor = double.NegativeInfinity;
        (_shared, _reached, _passed) = (shared, float.NegativeInfinity, false);
        Weigh();
        LookAround();
        if (_slices.Length < _count)
            _slices = new Slice[_parts.Length];
        var groups = (int)(((long)rowEnd + ImpactList.GroupSize - 1) >> ImpactList.GroupBits);
        if (_required > 0 && Leader() is var leader && leader >= 0)
            Merge(groups, leader, k, ref filter);
        else if (_count > MostParts || IsShort(groups))
            Merge(groups, _required > 0 ? _parts[0].Term : -1, k, ref filter);
        else
            Prune(groups, k, ref filter);
        _top.Drain(hits, ref filter);
    }

    /// <summary>The term with the fewest groups; -1 when that is laid out with a place for every group.</summary>
    private int Leader()
    {
        var fewest = long.MaxValue;
        var leader = -1;
        for (var i = 0; i < _count;)
        {
            var term = _parts[i].Term;
            var places = 0L;
            var dense = false;
            for (; i < _count && _parts[i].Term == term; i++)
            {
                places += _parts[i].Places;
                dense |= _parts[i].Groups == null;
            }

            if (places >= fewest)
                continue;
            fewest = places;
            leader = dense ? -1 : term;
        }

        return leader;
    }

    private bool IsShort(int groups)
    {
        var places = 0L;
        for (var i = 0; i < _count; i++)
        {
            if (_parts[i].Groups == null)
                return false;
            places += _parts[i].Places;
        }

        return places * MergeShare < groups;
    }

    /// <summary>The parts by weight, heaviest first, and their weights in steps of the added bounds.</summary>
    private void Weigh()
    {
        var total = 0.0;
        for (var i = 0; i < _count; i++)
        {
            var part = _parts[i];
            total += part.Weight;
            var at = i;
            for (; at > 0 && _parts[at - 1].Weight < part.Weight; at--)
                _parts[at] = _parts[at - 1];
            _parts[at] = part;
        }

        _steps = FullBound / Math.Max(total, 1);
        for (var i = 0; i < _count; i++)
        {
            var part = _parts[i];
            part.Scale = (ushort)Math.Clamp(Math.Ceiling(part.Weight * _steps), 1, FullBound);
            part.WholeBelow = int.MaxValue;
            if (i > 0 && _parts[i - 1].Term == part.Term)
                (part.WholeBelow, _parts[i - 1].WholeBelow) = (_parts[i - 1].FirstGroup, part.FirstGroup);
        }

        SetCut();
    }

    /// <summary>A part's bound is off by less than 2 steps, of which it adds one.</summary>
    private void SetCut() =>
        _cut = double.IsNegativeInfinity(_floor) ? 0 : (int)Math.Clamp(Math.Floor(_floor * _steps) - _count - 1, 0, FullBound);

    /// <summary>Takes over what the others have reached. Scores that equal it are still looked for: ties go by id.</summary>
    private void LookAround()
    {
        if (_shared is null || !(_shared.Value is var value && value > _reached))
            return;
        _reached = value;
        var sum = _scorer.SumBelow(value);
        if (!(sum > _floor))
            return;
        _floor = sum;
        SetCut();
    }

    /// <summary>Once, when what promises most was looked at.</summary>
    private void LetOthersBegin()
    {
        if (_shared is null || _passed)
            return;
        _passed = true;
        if (_shared.Pass())
            LookAround();
    }

    private void Rewind()
    {
        for (var i = 0; i < _count; i++)
            _parts[i].Place = 0;
    }

    private TextPart AddPart(TextField.Term term, int number, ImpactList? list)
    {
        var part = _spare.Count > 0 ? _spare[^1] : new TextPart();
        if (_spare.Count > 0)
            _spare.RemoveAt(_spare.Count - 1);
        part.Postings = term.Postings;
        part.Term = number;
        part.Weight = _scorer.Weight(number);
        if (list is not null)
            part.Open(list);
        if (_count == _parts.Length)
            Array.Resize(ref _parts, _count * 2);
        _parts[_count++] = part;
        return part;
    }

    private void Release(TextPart part)
    {
        part.Open(part.Own);
        part.Postings = null!;
        _spare.Add(part);
    }
}
