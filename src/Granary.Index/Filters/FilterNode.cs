using System.Collections.Immutable;
using Granary.Index.Payload;

namespace Granary.Index.Filters;

/// <summary>A compiled condition.</summary>
internal abstract class FilterNode
{
    public Cardinality Estimate { get; init; }

    /// <summary>A superset of the matching slots, when an index bounds them.</summary>
    public IndexMatch? Candidates { get; init; }

    public abstract bool Matches(ref Evaluation at);

    /// <summary>About what <see cref="TryFill"/> costs, in bits set one by one.</summary>
    public virtual long FillCost => Candidates?.FillCost ?? long.MaxValue;

    /// <summary>
    /// Sets the bits of a superset of the matching slots; false, and none is set, when no index bounds them, or it would cost more than
    /// <paramref name="budget"/>. A single condition leaves bits that stand there already.
    /// </summary>
    /// <param name="budget">What it may cost, in bits set one by one; what it cost is taken off.</param>
    /// <param name="bits">All clear, unless it is a single condition.</param>
    /// <param name="exact">Whether all of them match.</param>
    public virtual bool TryFill(ref long budget, SlotBits bits, out bool exact)
    {
        exact = CandidatesMatch;
        if (Candidates is not { } candidates)
            return false;
        var cost = candidates.FillCost;
        if (cost > budget)
            return false;
        budget -= cost;
        candidates.Fill(bits);
        return true;
    }

    /// <summary>Whether all candidates match.</summary>
    protected virtual bool CandidatesMatch => false;
}

/// <summary>A whole filter.</summary>
internal sealed partial class CombinationNode(
    FilterPlan plan, FilterNode[] must, FilterNode[] should, FilterNode[] mustNot, FilterNode[] counted, int minimum) : FilterNode
{
    public override bool Matches(ref Evaluation at)
    {
        foreach (var node in must)
        {
            if (!node.Matches(ref at))
                return false;
        }

        foreach (var node in mustNot)
        {
            if (node.Matches(ref at))
                return false;
        }

        if (should.Length > 0 && !AtLeast(should, 1, ref at))
            return false;
        return minimum == 0 || AtLeast(counted, minimum, ref at);
    }

    private static bool AtLeast(FilterNode[] nodes, int minimum, ref Evaluation at)
    {
        for (var i = 0; i < nodes.Length && nodes.Length - i >= minimum; i++)
        {
            if (nodes[i].Matches(ref at) && --minimum == 0)
                return true;
        }

        return false;
    }
}

/// <summary>A test of the values at a path, answered by an index where it can.</summary>
internal sealed class ValueNode(FilterPlan plan, int key, ImmutableArray<JsonPathItem> rest, ValueTest test, bool negated) : FilterNode
{
    // A bitmap of all candidates is only worth making once more than a few slots were asked about, and more the larger it is: setting
    // so many bits costs about what looking into one payload does.
    private const int Patience = 16;
    private const int BitsForOne = 64;
    private int _asked;
    private int _patience;
    private PooledBits? _bits;

    /// <summary>What an index knows about the condition at the point's own payload.</summary>
    public IndexMatch? Match { get; init; }

    public override bool Matches(ref Evaluation at)
    {
        if (Match is not null && !at.IsNested && Lookup(at.Slot) is { } candidate)
        {
            if (!candidate)
                return false;
            if (Match.IsExact)
                return true;
        }

        var visitor = new Visitor(test);
        JsonScan.Walk(at.Value(key), rest.AsSpan(), ref visitor);
        return (visitor.Seen ? visitor.Found : test.WhenMissing) != negated;
    }

    protected override bool CandidatesMatch => Match is { IsExact: true };

    private bool? Lookup(int slot)
    {
        if (Match!.CanTest)
            return Match.Test(slot);
        var bits = Volatile.Read(ref _bits);
        if (bits is null)
        {
            if (_patience == 0)
                _patience = (int)Math.Clamp(Match.Count / BitsForOne, Patience, int.MaxValue);
            if (++_asked < _patience)
                return null;
            bits = plan.Rent();
            Match.Fill(bits.Bits);
            Volatile.Write(ref _bits, bits);
        }

        return slot < plan.SlotBound ? bits.Bits.Test(slot) : null;
    }

    private struct Visitor(ValueTest test) : IJsonVisitor
    {
        public bool Seen { get; private set; }

        public bool Found { get; private set; }

        public bool Visit(ReadOnlySpan<byte> value)
        {
            Seen = true;
            return Found = test.Test(value);
        }
    }
}

/// <summary>One object among the elements at a path satisfies a whole filter.</summary>
internal sealed class NestedNode(int key, ImmutableArray<JsonPathItem> rest, FilterNode filter, FilterScope scope) : FilterNode
{
    private const int FewKeys = 32;

    public override bool Matches(ref Evaluation at)
    {
        var visitor = new Visitor(at.Context, at.Slot, filter, scope);
        return JsonScan.Walk(at.Value(key), rest.AsSpan(), ref visitor);
    }

    private readonly struct Visitor(IFilterContext context, int slot, FilterNode filter, FilterScope scope) : IJsonVisitor
    {
        public bool Visit(ReadOnlySpan<byte> value)
        {
            if (value[0] != '{')
                return false;
            var keys = scope.Keys.Count;
            var places = keys <= FewKeys ? stackalloc int[2 * FewKeys] : new int[2 * keys];
            var inner = new Evaluation(context, slot, scope, places, value);
            return filter.Matches(ref inner);
        }
    }
}

/// <summary>The point's id is one of a set.</summary>
internal sealed class IdNode(ImmutableArray<PointId> ids) : FilterNode
{
    private readonly HashSet<PointId> _ids = [.. ids];

    public override bool Matches(ref Evaluation at) => !at.IsNested && _ids.Contains(at.Context.IdOf(at.Slot));

    protected override bool CandidatesMatch => true;
}

/// <summary>The point has a vector.</summary>
internal sealed class VectorNode(string vector) : FilterNode
{
    public override bool Matches(ref Evaluation at) => !at.IsNested && at.Context.HasVector(at.Slot, vector);
}

/// <summary>The point's id falls into a slice.</summary>
internal sealed class SliceNode(SliceCondition slice) : FilterNode
{
    public override bool Matches(ref Evaluation at) => !at.IsNested && SliceHash.Contains(slice, at.Context.IdOf(at.Slot));
}
