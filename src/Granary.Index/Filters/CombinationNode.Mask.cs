using Granary.Index.Payload;

namespace Granary.Index.Filters;

/// <content>The slots that match as a bitmap, put together from those of the conditions.</content>
internal sealed partial class CombinationNode
{
    /// <inheritdoc/>
    public override long FillCost => must.Length + should.Length + minimum > 0
        ? Candidates?.FillCost ?? long.MaxValue : Combining.Sum(mustNot);

    /// <inheritdoc/>
    public override bool TryFill(ref long budget, SlotBits bits, out bool exact)
    {
        // The cheapest first: it may leave so few that the dearer ones are not worth their bitmaps.
        var combining = new Combining(plan, bits);
        foreach (var node in CheapestFirst(must))
            combining.And(node, ref budget);
        if (should.Length > 0)
            combining.AndAny(should, ref budget);

        // Several of a set must hold: that one does bounds them.
        if (minimum > 0)
        {
            combining.AndAny(counted, ref budget);
            combining.IsExact &= minimum == 1;
        }

        // Without any bound the few that are left out do not make one, unless nothing else is asked.
        if (combining.IsBounded || combining.IsExact)
        {
            foreach (var node in CheapestFirst(mustNot))
                combining.AndNot(node, ref budget);
        }

        combining.GiveBack();
        exact = combining.IsExact;
        return combining.IsBounded;
    }

    private static FilterNode[] CheapestFirst(FilterNode[] nodes)
    {
        if (nodes.Length < 2)
            return nodes;
        var sorted = (FilterNode[])nodes.Clone();
        Array.Sort(Array.ConvertAll(nodes, static node => node.FillCost), sorted);
        return sorted;
    }

    /// <summary>What the conditions so far leave.</summary>
    private struct Combining(FilterPlan plan, SlotBits bits)
    {
        // Looking into a payload costs about what setting so many bits does: a bitmap that costs more than looking into all that are left
        // is not made, they are asked one by one.
        private const int BitsForOne = 64;

        // Bits of two bitmaps that are combined at the cost of setting one.
        private const int BitsTogether = 256;
        private PooledBits? _one;
        private PooledBits? _union;
        private long _worth = long.MaxValue;

        /// <summary>Whether a condition has said which slots can match.</summary>
        public bool IsBounded { get; private set; }

        /// <summary>Whether all that are left satisfy the conditions.</summary>
        public bool IsExact { get; set; } = true;

        public static long Sum(FilterNode[] nodes)
        {
            var sum = 0L;
            foreach (var node in nodes)
                sum = Math.Min(long.MaxValue / 2, sum) + Math.Min(long.MaxValue / 2, node.FillCost);
            return sum;
        }

        public void And(FilterNode node, ref long budget)
        {
            if (_worth == 0)
                return;
            var all = false;
            if (!IsBounded && node.TryFill(ref budget, bits, out all))
                Bound(all);
            else if (IsBounded && TryMake(node, ref budget, out var made, out all))
                Keep(made, all);
            else
                IsExact = false;
        }

        public void AndAny(FilterNode[] nodes, ref long budget)
        {
            if (_worth == 0)
                return;
            if (Sum(nodes) > _worth || (IsBounded && !Combines(ref budget)))
            {
                IsExact = false;
                return;
            }

            var union = IsBounded ? Clear(ref _union) : bits;
            var exact = true;
            foreach (var node in nodes)
            {
                // A single condition adds its bits to what stands there.
                var all = false;
                var done = node is CombinationNode
                    ? TryMake(node, ref budget, out var made, out all) && union.Or(made) : node.TryFill(ref budget, union, out all);
                if (!done)
                {
                    IsExact = false;
                    if (!IsBounded)
                        bits.Clear();
                    return;
                }

                exact &= all;
            }

            if (IsBounded)
                Keep(union, exact);
            else
                Bound(exact);
        }

        public void AndNot(FilterNode node, ref long budget)
        {
            if (_worth == 0)
                return;
            if (!TryMake(node, ref budget, out var made, out var all) || !all)
            {
                IsExact = false;
                return;
            }

            if (!IsBounded)
                bits.SetAll();
            bits.AndNot(made);
            Bound(exact: true);
        }

        public void GiveBack()
        {
            if (_one is not null)
                plan.GiveBack(_one);
            if (_union is not null)
                plan.GiveBack(_union);
        }

        // A bitmap of the node's own, where it is worth it.
        private bool TryMake(FilterNode node, ref long budget, out SlotBits made, out bool exact)
        {
            (made, exact) = (default, false);
            if (node.FillCost > _worth || !Combines(ref budget))
                return false;
            made = Clear(ref _one);
            return node.TryFill(ref budget, made, out exact);
        }

        private void Keep(SlotBits others, bool exact)
        {
            bits.And(others);
            Bound(exact);
        }

        private void Bound(bool exact)
        {
            IsBounded = true;
            IsExact &= exact;
            _worth = bits.Count() * BitsForOne;
            IsExact |= _worth == 0;
        }

        private bool Combines(ref long budget)
        {
            var cost = bits.Bound / BitsTogether;
            if (cost > budget)
                return false;
            budget -= cost;
            return true;
        }

        private SlotBits Clear(ref PooledBits? scratch)
        {
            if (scratch is null)
                scratch = plan.Rent();
            else
                scratch.Bits.Clear();
            return scratch.Bits;
        }
    }
}
