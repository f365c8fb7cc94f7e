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
    private readonly ConvexFusion _convex = new();
    private float[] _moved = [];

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
        IndexReader reader, IndexSchema schema, PlanNode plan, int offset, PointSelection selection, CancellationToken cancellation)
    {
        var query = _idle ?? new NearQuery();
        _idle = null;
        try
        {
            return query.Run(reader, schema, plan, offset, selection, cancellation);
        }
        finally
        {
            query.Clear();
            _idle = query;
        }
    }

    private static bool Ranks(Leg leg) => leg is DenseLeg or TextLeg or SparseLeg;

    private List<ScoredPoint> Run(
        IndexReader reader, IndexSchema schema, PlanNode plan, int offset, PointSelection selection, CancellationToken cancellation)
    {
        if (plan is LegNode leaf)
        {
            reader.SearchInto(leaf.Leg, _own, cancellation);
            return Points(reader, _own, null, leaf.Limit, offset, selection);
        }

        var node = (FusionNode)plan;
        Search(reader, node.Children, cancellation);
        if (node.Fusion is ConvexQuery convex)
            Combine(reader, schema, node, convex, cancellation);
        else
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
                if (_side.Count == begun)
                    _side.Add(new SideLeg());
                _side[begun].Begin(reader, ((LegNode)children[begun + 1]).Leg, offer, cancellation);
            }

            _higher[0] = reader.SearchInto(((LegNode)children[0]).Leg, _own, cancellation);
            done = true;
        }
        finally
        {
            // No leg may read on when the reader is closed.
            for (var i = 0; i < begun; i++)
                _side[i].End(run: done);
            SideLeg.Leave();
        }

        _lists.Add(_own);
        for (var i = 0; i < begun; i++)
        {
            _side[i].ThrowIfFailed();
            _higher[i + 1] = _side[i].HigherIsBetter;
            _lists.Add(_side[i].Hits);
        }
    }

    private void Combine(IndexReader reader, IndexSchema schema, FusionNode node, ConvexQuery convex, CancellationToken cancellation)
    {
        for (var i = 0; i < _lists.Count; i++)
        {
            var scale = ConvexLegs.ScaleOf(((LegNode)node.Children[i]).Leg);
            var weight = convex.Weights.IsDefaultOrEmpty ? ConvexFusion.WeightOf(scale) : convex.Weights[i];
            _convex.Add(scale, weight, _higher[i], (List<LegHit>)_lists[i]);
        }

        if (_convex.Found > 1)
        {
            for (var i = 0; i < _lists.Count; i++)
            {
                if (_lists[i].Count > 0)
                    reader.Complete(((LegNode)node.Children[i]).Leg, _convex.Ids, _convex.Scores(i), cancellation);
            }

            _convex.Combine();
            if (convex.Feedback > 0 && Move(reader, schema, node.Children, convex.Feedback))
                _convex.Combine();
        }
        else
        {
            _convex.Combine();
        }

        _convex.Rank(node.Limit, _fused);
    }

    /// <summary>Scores the candidates anew by the dense queries moved towards the best points.</summary>
    private bool Move(IndexReader reader, IndexSchema schema, ImmutableArray<PlanNode> children, int points)
    {
        Span<int> best = stackalloc int[Feedback.MaxPoints];
        best = best[..points];
        best = best[.._convex.Best(best)];
        var any = false;
        for (var i = 0; i < _lists.Count; i++)
        {
            if (_lists[i].Count == 0 || ConvexLegs.Moves(((LegNode)children[i]).Leg, schema) is not { } leg)
                continue;
            any = true;
            var distance = schema.FindDense(leg.Vector)!.Distance;
            var found = 0;
            foreach (var place in best)
                found += reader.VectorOf(_convex.Ids[place], leg.Vector).IsEmpty ? 0 : 1;
            if (found == 0)
                continue;
            if (_moved.Length < leg.Query.Length)
                _moved = new float[leg.Query.Length];
            var moved = _moved.AsSpan(0, leg.Query.Length);
            Feedback.Begin(distance, leg.Query.Span, moved);
            foreach (var place in best)
            {
                if (reader.VectorOf(_convex.Ids[place], leg.Vector) is { IsEmpty: false } vector)
                    Feedback.Add(distance, vector, found, moved);
            }

            reader.Rescore(leg, moved, _convex.Ids, _convex.Scores(i));
        }

        return any;
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
