using Granary.Index.Filters;

namespace Granary.Index.Partition;

/// <summary>Walks the slots a view sees that match a filter: those the payload indexes name, or all.</summary>
internal ref struct MatchEnumerator
{
    private const int CheckEvery = 4096;
    private readonly View _view;
    private readonly FilterPlan? _plan;
    private readonly CancellationToken _cancellation;
    private readonly bool _bounded;
    private readonly ReadOnlySpan<int> _candidates;
    private int _next;

    /// <summary>Starts before the first.</summary>
    public MatchEnumerator(View view, FilterPlan? plan, CancellationToken cancellation)
    {
        _view = view;
        _plan = plan;
        _cancellation = cancellation;

        // Where the indexes name most of the points, reading their list costs more than asking about each.
        if (plan is not null && plan.TryCandidates(Math.Max(1024, view.SlotBound / 2), out var candidates))
        {
            _bounded = true;
            _candidates = candidates.Span;
        }
    }

    /// <summary>The slot.</summary>
    public int Current { get; private set; }

    /// <summary>For foreach.</summary>
    public readonly MatchEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next slot.</summary>
    public bool MoveNext()
    {
        var end = _bounded ? _candidates.Length : _view.SlotBound;
        while (_next < end)
        {
            if (_next % CheckEvery == 0)
                _cancellation.ThrowIfCancellationRequested();
            var slot = _bounded ? _candidates[_next] : _next;
            _next++;
            if (slot >= _view.SlotBound || !_view.Sees(slot) || (_plan is not null && !_plan.Matches(slot)))
                continue;
            Current = slot;
            return true;
        }

        return false;
    }
}
