using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// Answers a leg, or a fusion of legs, of a collection whose only partition is in this process: on the caller's thread (legs beside each
/// other where cores are idle), from one view of the partition, with memory that is used again.
/// </summary>
internal sealed class NearQuery
{
    private const int MostLegs = 8;
    private const int MostHitsKept = 4096;

    [ThreadStatic]
    private static NearQuery? _idle;

    private readonly List<LegHit> _own = [];
    private readonly List<LegHit> _fused = [];
    private readonly List<SideLeg> _side = [];
    private readonly List<IReadOnlyList<LegHit>> _lists = [];
    private readonly bool[] _higher = new bool[MostLegs];
    private readonly ConvexRanking _convex = new();
    private readonly List<RankedLeg> _ranked = [];
    private readonly List<RankedLeg> _idleRanked = [];
    private readonly List<SlotHit> _best = [];

    /// <summary>Whether the plan is of the kind that is answered here.</summary>
    public static bool Takes(PlanNode plan)
    {
        if (plan is LegNode leaf)
            return Ranks(leaf.Leg);
        if (plan is not FusionNode || plan.Children.Length is 0 or > MostLegs)
            return false;
        foreach (var child in plan.Children)
        {
            if (child is not LegNode { Leg: var leg } || !Ranks(leg))
                return false;
        }

        return true;
    }

    /// <summary>Answers a plan that <see cref="Takes"/>.</summary>
    public static List<ScoredPoint> Answer(
        IndexReader reader, PlanNode plan, int offset, PointSelection selection, CancellationToken cancellation)
    {
        var query = _idle ?? new NearQuery();
        _idle = null;
        try
        {
            return query.Run(reader, plan, offset, selection, cancellation);
        }
        finally
        {
            query.Clear();
            _idle = query;
        }
    }

    private static bool Ranks(Leg leg) => leg is DenseLeg or TextLeg or SparseLeg;

    private List<ScoredPoint> Run(
        IndexReader reader, PlanNode plan, int offset, PointSelection selection, CancellationToken cancellation)
    {
        if (plan is LegNode leaf)
        {
            reader.SearchInto(leaf.Leg, _own, cancellation);
            return Points(reader, _own, null, leaf.Limit, offset, selection);
        }

        var node = (FusionNode)plan;
        if (node.Fusion is ConvexQuery convex)
        {
            Combine(reader, node, convex, cancellation);
            return Points(reader, _best, node.Threshold, offset, selection);
        }

        Search(reader, node.Children, cancellation);
        Fuser.Fuse(node.Fusion, _lists, _higher, node.Limit, _fused);
        return Points(reader, _fused, node.Threshold, node.Limit, offset, selection);
    }

    /// <summary>Runs the legs: the first here, the others beside it or after it.</summary>
    private void Search(IndexReader reader, ImmutableArray<PlanNode> children, CancellationToken cancellation)
    {
        var offer = SideLeg.Enter();
        var begun = 0;
        var done = false;
        try
        {
            for (; begun < children.Length - 1; begun++)
            {
                Side(begun).Begin(reader, ((LegNode)children[begun + 1]).Leg, offer, cancellation);
            }

            _higher[0] = reader.SearchInto(((LegNode)children[0]).Leg, _own, cancellation);
            done = true;
        }
        finally
        {
            End(begun, done);
        }

        _lists.Add(_own);
        for (var i = 0; i < begun; i++)
        {
            _side[i].ThrowIfFailed();
            _higher[i + 1] = _side[i].HigherIsBetter;
            _lists.Add(_side[i].Hits);
        }
    }

    /// <summary>Runs the legs and ranks what they found.</summary>
    private void Combine(IndexReader reader, FusionNode node, ConvexQuery convex, CancellationToken cancellation)
    {
        for (var i = 0; i < node.Children.Length; i++)
        {
            if (_idleRanked.Count == i)
                _idleRanked.Add(new RankedLeg());
            _ranked.Add(_idleRanked[i]);
            _ranked[i].Open(reader, ((LegNode)node.Children[i]).Leg);
        }

        var offer = SideLeg.Enter();
        var begun = 0;
        var done = false;
        try
        {
            for (; begun < _ranked.Count - 1; begun++)
                Side(begun).Begin(_ranked, begun + 1, offer, cancellation);

            _ranked[0].Search(cancellation);
            done = true;
        }
        finally
        {
            End(begun, done);
        }

        for (var i = 0; i < begun; i++)
            _side[i].ThrowIfFailed();
        for (var i = 0; i < _ranked.Count; i++)
        {
            var scale = ConvexLegs.ScaleOf(((LegNode)node.Children[i]).Leg);
            _convex.Add(
                _ranked[i], scale, convex.Weights.IsDefaultOrEmpty ? ConvexFusion.WeightOf(scale) : convex.Weights[i]);
        }

        _convex.Rank(reader, convex.Feedback, node.Limit, _best, cancellation);
    }

    private SideLeg Side(int number)
    {
        if (_side.Count == number)
            _side.Add(new SideLeg());
        return _side[number];
    }

    /// <summary>No leg may read on when the reader is closed.</summary>
    private void End(int begun, bool done)
    {
        for (var i = 0; i < begun; i++)
            _side[i].End(run: done);
        SideLeg.Leave();
    }

    private static List<ScoredPoint> Points(
        IndexReader reader, List<SlotHit> hits, float? threshold, int offset, PointSelection selection)
    {
        var answer = new List<ScoredPoint>(Math.Max(0, hits.Count - offset));
        foreach (var hit in hits)
        {
            // Fused hits are cut by their score before any are skipped.
            if (threshold is { } bound && !(hit.Score >= bound))
                continue;
            if (offset > 0)
                offset--;
            else if (selection.IsBare)
                answer.Add(new ScoredPoint(reader.IdOf(hit), hit.Score, reader.VersionOf(hit)));
            else if (reader.TryGet(reader.IdOf(hit), selection.Vectors, selection.Payload.Enabled, out var point))
                answer.Add(PointSelector.Scored(point!, selection, hit.Score));
        }

        return answer;
    }

    private static List<ScoredPoint> Points(
        IndexReader reader, List<LegHit> hits, float? threshold, int limit, int offset, PointSelection selection)
    {
        var count = Math.Min(hits.Count, limit);
        var answer = new List<ScoredPoint>(Math.Max(0, count - offset));
        foreach (ref readonly var hit in CollectionsMarshal.AsSpan(hits)[..count])
        {
            // Fused hits are cut by their score before any are skipped.
            if (threshold is { } bound && !(hit.Score >= bound))
                continue;
            if (offset > 0)
                offset--;
            else if (selection.IsBare)
                answer.Add(new ScoredPoint(hit.Id, hit.Score, reader.VersionOf(hit.Id)));
            else if (reader.TryGet(hit.Id, selection.Vectors, selection.Payload.Enabled, out var point))
                answer.Add(PointSelector.Scored(point!, selection, hit.Score));
        }

        return answer;
    }

    private void Clear()
    {
        _own.Clear();
        _fused.Clear();
        _lists.Clear();
        _convex.Clear();
        _best.Clear();
        foreach (var leg in _ranked)
            leg.Close();
        _ranked.Clear();
        if (_best.Capacity > MostHitsKept)
            _best.Capacity = 0;
        if (_own.Capacity > MostHitsKept)
            _own.Capacity = 0;
        if (_fused.Capacity > MostHitsKept)
            _fused.Capacity = 0;
        foreach (var leg in _side)
        {
            leg.Hits.Clear();
            if (leg.Hits.Capacity > MostHitsKept)
                leg.Hits.Capacity = 0;
        }
    }
}
