using Granary.Index.Payload;

namespace Granary.Index.Filters;

/// <content>The slots that match as a bitmap, put together from those of the conditions.</content>
internal sealed partial class CombinationNode
{
    /// <inheritdoc/>
    public override bool TryFill(long limit, SlotBits bits, out bool exact)
    {
        exact = true;
        var bounded = false;
        foreach (var node in must)
            Take(node, ref bounded, ref exact);
        if (should.Length > 0)
            TakeUnion(should, ref bounded, ref exact);

        // Several of a set must hold: that one does bounds them.
        if (minimum > 0)
        {
            TakeUnion(counted, ref bounded, ref exact);
            exact &= minimum == 1;
        }

        // Without any bound the few that are left out do not make one, unless nothing else is asked.
        if (!bounded && (!exact || mustNot.Length == 0))
            return false;
        foreach (var node in mustNot)
        {
            var other = plan.Rent().Bits;
            if (!node.TryFill(limit, other, out var all) || !all)
            {
                exact = false;
                continue;
            }

            if (!bounded)
                bits.SetAll();
            bounded = true;
            bits.AndNot(other);
        }

        return bounded;

        void Take(FilterNode node, ref bool bounded, ref bool exact)
        {
            var into = bounded ? plan.Rent().Bits : bits;
            if (!node.TryFill(limit, into, out var all))
            {
                exact = false;
                return;
            }

            exact &= all;
            if (bounded)
                bits.And(into);
            bounded = true;
        }

        void TakeUnion(FilterNode[] nodes, ref bool bounded, ref bool exact)
        {
            var union = bounded ? plan.Rent().Bits : bits;
            foreach (var node in nodes)
            {
                var one = plan.Rent().Bits;
                if (!node.TryFill(limit, one, out var all))
                {
                    exact = false;
                    if (!bounded)
                        bits.Clear();
                    return;
                }

                exact &= all;
                union.Or(one);
            }

            if (bounded)
                bits.And(union);
            bounded = true;
        }
    }
}
