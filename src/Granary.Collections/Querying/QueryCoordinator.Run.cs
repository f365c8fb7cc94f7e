using System.Collections.Immutable;
using System.Text.Json;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

public sealed partial class QueryCoordinator
{
    /// <summary>One evaluation of a plan: the leaves in one round over the partitions, then what combines them, bottom up.</summary>
    private sealed partial class Run(QueryCoordinator owner, ReadOptions read, CancellationToken cancellation)
    {
        private readonly Dictionary<LegNode, Ranking> _leaves = new(ReferenceEqualityComparer.Instance);
        private PartitionAnswer[]? _along;
        private PlanNode? _root;

        /// <summary>The rankings of the root's prefetches, for explaining.</summary>
        public IReadOnlyList<Ranking> RootChildren { get; private set; } = [];

        /// <param name="root">The plan.</param>
        /// <param name="selection">What is going to be asked of its hits; null for nothing.</param>
        public async ValueTask<Ranking> EvaluateRootAsync(PlanNode root, PointSelection? selection = null)
        {
            _root = root;
            _wanted = selection;
            var leaves = new List<LegNode>();
            CollectLeaves(root, leaves);
            if (leaves.Count > 0)
            {
                var (rankings, legs) = await SearchAsync([.. leaves.Select(l => l.Leg)], owner.Along(root, selection), CrossOf(root))
                    .ConfigureAwait(false);
                for (var i = 0; i < leaves.Count; i++)
                    (_leaves[leaves[i]], _asked[leaves[i]]) = (rankings[i], legs[i]);
            }

            var children = await ChildrenAsync(root).ConfigureAwait(false);
            RootChildren = children;
            return await CombineAsync(root, children).ConfigureAwait(false);
        }

        private static void CollectLeaves(PlanNode node, List<LegNode> leaves)
        {
            if (node is LegNode leaf)
                leaves.Add(leaf);
            foreach (var child in node.Children)
                CollectLeaves(child, leaves);
        }

        private async ValueTask<List<Ranking>> ChildrenAsync(PlanNode node)
        {
            var children = new List<Ranking>(node.Children.Length);
            foreach (var child in node.Children)
                children.Add(await CombineAsync(child, await ChildrenAsync(child).ConfigureAwait(false)).ConfigureAwait(false));
            return children;
        }

        private ValueTask<Ranking> CombineAsync(PlanNode node, List<Ranking> children) => node switch
        {
            LegNode leaf => new(_leaves[leaf]),
            EmptyNode => new(Ranking.Empty),
            FusionNode { Fusion: ConvexQuery convex } fusion => ConvexAsync(fusion, convex, children),
            FusionNode fusion => new(Fuser.Fuse(fusion.Fusion, children, fusion.Limit).Cut(fusion.Threshold, fusion.Limit)),
            RescoreNode rescore => RescoreAsync(rescore.Template, Candidates(children)),
            SampleNode sample => new(Sampling.Pick(Candidates(children), sample.Seed, sample.Limit)),
            MmrNode mmr => DiversifyAsync(mmr, children[0]),
            FormulaNode formula => ScoreAsync(formula, children),
            _ => throw new InvalidOperationException($"A plan cannot hold {node.GetType().Name}."),
        };

        private static List<PointId> Candidates(List<Ranking> children)
        {
            if (children.Count == 1)
                return [.. children[0].Hits.Select(h => h.Id).Distinct()];
            var seen = new HashSet<PointId>();
            var ids = new List<PointId>();
            foreach (var hit in children.SelectMany(c => c.Hits))
            {
                if (seen.Add(hit.Id))
                    ids.Add(hit.Id);
            }

            return ids;
        }

        private async ValueTask<Ranking> RescoreAsync(Leg template, List<PointId> candidates)
        {
            if (candidates.Count == 0)
                return Ranking.Empty;
            var leg = (await WithStatisticsAsync([template]).ConfigureAwait(false))[0];
            return await ScoreCandidatesAsync(leg, candidates).ConfigureAwait(false);
        }

        private async ValueTask<Ranking> ScoreCandidatesAsync(Leg leg, List<PointId> candidates)
        {
            var byPartition = owner.Split(candidates);
            var parts = await owner.EachAsync(
                async p =>
                {
                    if (byPartition[p.Number] is not { } mine)
                        return null;
                    var answer = await p.SearchAsync(new PartitionRequest([leg with { Candidates = mine }], read), cancellation)
                        .ConfigureAwait(false);
                    return RankingOf(leg, answer.Legs[0]);
                },
                candidates.Count > 10_000).ConfigureAwait(false);
            return Ranking.Merge([.. parts.OfType<Ranking>()], leg.Limit);
        }

        /// <summary>
        /// Runs the legs over all partitions: in one round where the statistics they need are known and still what they were, otherwise
        /// after a round that gathers them. Answers with the legs as they were asked, too: with those statistics.
        /// </summary>
        private async ValueTask<(Ranking[] Rankings, IReadOnlyList<Leg> Asked)> SearchAsync(
            IReadOnlyList<Leg> legs, PointSelection? along, CrossScoring? cross)
        {
            if (await TryAssumingAsync(legs, along, cross).ConfigureAwait(false) is var (found, assumed))
                return (Merge(legs, found), assumed);
            var asked = await WithStatisticsAsync(legs).ConfigureAwait(false);
            var each = new Leg[owner._partitions.Count][];
            for (var p = 0; p < each.Length; p++)
                each[p] = [.. asked];
            var parts = await SearchEachAsync(legs, each, along, cross).ConfigureAwait(false);
            await TryCompleteAsync(legs, each, parts, along).ConfigureAwait(false);
            return (Merge(legs, parts), asked);
        }

        private Ranking[] Merge(IReadOnlyList<Leg> legs, PartitionAnswer[] parts)
        {
            var rankings = new Ranking[legs.Count];
            for (var i = 0; i < rankings.Length; i++)
            {
                var merged = parts.Select(p => RankingOf(legs[i], p.Legs[i])).ToList();
                rankings[i] = legs[i] is SampleLeg sample && merged.Count > 1
                    ? Sampling.Pick([.. merged.SelectMany(m => m.Hits).Select(h => h.Id)], sample.Seed, sample.Limit)
                    : Ranking.Merge(merged, legs[i].Limit);
            }

            _along = parts;
            return rankings;
        }

        /// <summary>The points of hits of the plan: those that came along with them, or asked for.</summary>
        public async ValueTask<IReadOnlyList<PointRecord>> PointsAsync(List<LegHit> hits, PointSelection selection)
        {
            if (_brought is { } brought && hits.TrueForAll(h => brought.ContainsKey(h.Id)))
                return [.. hits.Select(h => brought[h.Id]).OfType<PointRecord>()];
            if (_along is not { } parts || parts[0].Points is null)
                return await owner.FetchAsync(hits, selection, read, cancellation).ConfigureAwait(false);
            var next = new int[parts.Length];
            var points = new List<PointRecord>(hits.Count);
            foreach (var hit in hits)
            {
                // Within a partition the points come in the order that the hits have in the ranking, too.
                var part = owner._placement.PartitionOf(hit.Id);
                var mine = parts[part].Points!;
                for (var i = next[part]; i < mine.Count; i++)
                {
                    if (mine[i].Id != hit.Id)
                        continue;
                    points.Add(mine[i]);
                    next[part] = i + 1;
                    break;
                }
            }

            return points;
        }

        /// <summary>Gives legs whose scores depend on the whole collection the whole collection's statistics.</summary>
        private async ValueTask<IReadOnlyList<Leg>> WithStatisticsAsync(IReadOnlyList<Leg> legs)
        {
            if (owner._partitions.Count == 1)
                return legs;
            var texts = legs.OfType<TextLeg>().Select(l => (l.Field, l.Text)).ToList();
            var weighted = legs.Select(Weighted).ToList();
            var sparse = weighted.OfType<(string, ImmutableArray<uint>)>().ToList();
            if (texts.Count == 0 && sparse.Count == 0)
                return legs;
            var request = new StatisticsRequest([.. texts], [.. sparse]);
            var parts = await owner.EachAsync(p => p.StatisticsAsync(request, read, cancellation), false).ConfigureAwait(false);
            for (var i = 0; i < texts.Count; i++)
                owner._known.Learn(texts[i].Field, [.. parts.Select(p => p.Texts[i])]);
            int text = 0, vector = 0;
            return
            [
                .. legs.Select((leg, position) =>
                {
                    if (leg is TextLeg t)
                    {
                        var i = text++;
                        return t with { Statistics = parts.Select(p => p.Texts[i]).Aggregate((a, b) => a.Add(b)) };
                    }

                    if (weighted[position] is null)
                        return leg;
                    var j = vector++;
                    var statistics = parts.Select(p => p.Sparse[j]).Aggregate((a, b) => a.Add(b));
                    return leg is ExampleLeg examples
                        ? examples with { Statistics = statistics }
                        : (SparseLeg)leg with { Statistics = statistics };
                }),
            ];
        }

        /// <summary>The sparse field and the dimensions whose weights in the leg follow from the collection's statistics.</summary>
        private (string Vector, ImmutableArray<uint> Indices)? Weighted(Leg leg) => leg switch
        {
            SparseLeg l when HasIdf(l.Vector) => (l.Vector, l.Indices),
            ExampleLeg l when HasIdf(l.Vector) => (l.Vector, Dimensions(l)),
            _ => null,
        };

        private bool HasIdf(string vector) => owner._schema.FindSparse(vector) is { Idf: true };

        private static ImmutableArray<uint> Dimensions(ExampleLeg leg)
        {
            var dimensions = new SortedSet<uint>();
            foreach (var example in leg.Positive.Concat(leg.Negative).Append(leg.Target))
                dimensions.UnionWith(example?.Indices.ToArray() ?? []);
            return [.. dimensions];
        }

        private async ValueTask<Ranking> DiversifyAsync(MmrNode node, Ranking candidates)
        {
            var selection = new PointSelection(PayloadSelector.None, new VectorSelector(false, [node.Vector]));
            var points = await owner.FetchAsync([.. candidates.Hits.Select(h => h.Id)], selection, read, cancellation)
                .ConfigureAwait(false);
            return Mmr.Pick(candidates, points, node, owner._schema.FindDense(node.Vector)?.Distance ?? Distance.Dot, cancellation);
        }

        private async ValueTask<Ranking> ScoreAsync(FormulaNode node, List<Ranking> children)
        {
            var formula = node.Formula;
            var ids = Candidates(children);
            if (ids.Count == 0)
                return Ranking.Empty;
            var holds = new List<HashSet<PointId>>();
            foreach (var condition in formula.Conditions)
            {
                var matching = await ScoreCandidatesAsync(new ScanLeg { Filter = condition, Limit = ids.Count }, ids).ConfigureAwait(false);
                holds.Add([.. matching.Hits.Select(h => h.Id)]);
            }

            var selection = formula.NeedsPayload ? new PointSelection(PayloadSelector.All, VectorSelector.None) : PointSelection.Bare;
            var points = await owner.FetchAsync(ids, selection, read, cancellation).ConfigureAwait(false);
            var scores = children.Select(c => c.Hits.DistinctBy(h => h.Id).ToDictionary(h => h.Id, h => h.Score)).ToList();
            var hits = new List<LegHit>(points.Count);
            foreach (var point in points)
            {
                using var payload = point.Payload is { } json ? JsonDocument.Parse(json) : null;
                var facts = new FormulaPoint(
                    [.. scores.Select(s => s.TryGetValue(point.Id, out var score) ? score : (float?)null)],
                    [.. holds.Select(h => h.Contains(point.Id))],
                    payload?.RootElement);
                hits.Add(new LegHit(point.Id, formula.Score(facts)));
            }

            hits.Sort(Ranking.Comparer(RankingOrder.HigherScore));
            return new Ranking(hits, RankingOrder.HigherScore).Cut(node.Threshold, node.Limit);
        }
    }
}
