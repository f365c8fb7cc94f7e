using System.Collections.Immutable;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

public sealed partial class QueryCoordinator
{
    private sealed partial class Run
    {
        private readonly Dictionary<LegNode, Leg> _asked = new(ReferenceEqualityComparer.Instance);

        /// <summary>
        /// A convex combination over any number of partitions: every leg scores every candidate, the best points move the dense queries,
        /// and what they find among the candidates is combined again. The same arithmetic as <see cref="NearQuery"/>.
        /// </summary>
        private async ValueTask<Ranking> ConvexAsync(FusionNode node, ConvexQuery convex, List<Ranking> children)
        {
            var fusion = new ConvexFusion();
            var legs = new Leg?[children.Count];
            for (var i = 0; i < legs.Length; i++)
            {
                legs[i] = await LegOfAsync(node.Children[i]).ConfigureAwait(false);
                var scale = ConvexLegs.ScaleOf(legs[i]);
                var weight = convex.Weights.IsDefaultOrEmpty ? ConvexFusion.WeightOf(scale) : convex.Weights[i];
                fusion.Add(scale, weight, children[i].HigherIsBetter, children[i].Hits as List<LegHit> ?? [.. children[i].Hits]);
            }

            if (fusion.Found > 1)
            {
                for (var i = 0; i < legs.Length; i++)
                {
                    if (legs[i] is { } leg && children[i].Hits.Count > 0)
                        await ScoreAsync(fusion, i, leg, Missing(fusion, i, true)).ConfigureAwait(false);
                }

                fusion.Combine();
                if (convex.Feedback > 0 && await MoveAsync(fusion, legs, children, convex.Feedback).ConfigureAwait(false))
                    fusion.Combine();
            }
            else
            {
                fusion.Combine();
            }

            var hits = new List<LegHit>(Math.Min(node.Limit, fusion.Ids.Length));
            fusion.Rank(node.Limit, hits);
            return new Ranking(hits, RankingOrder.HigherScore).Cut(node.Threshold, node.Limit);
        }

        /// <summary>The leg that can score more points; null where the child is none.</summary>
        private async ValueTask<Leg?> LegOfAsync(PlanNode child) => child switch
        {
            LegNode leaf => _asked[leaf],
            RescoreNode rescore => (await WithStatisticsAsync([rescore.Template]).ConfigureAwait(false))[0],
            _ => null,
        };

        private static List<PointId> Missing(ConvexFusion fusion, int leg, bool missing)
        {
            var ids = new List<PointId>();
            var scores = fusion.Scores(leg);
            for (var i = 0; i < scores.Length; i++)
            {
                if (float.IsNaN(scores[i]) == missing)
                    ids.Add(fusion.Ids[i]);
            }

            return ids;
        }

        private async ValueTask ScoreAsync(ConvexFusion fusion, int number, Leg leg, List<PointId> ids)
        {
            if (ids.Count == 0)
                return;
            var scored = await ScoreCandidatesAsync(leg with { Limit = ids.Count }, ids).ConfigureAwait(false);
            var found = scored.Hits.ToDictionary(h => h.Id, h => h.Score);
            var scores = fusion.Scores(number);
            for (var i = 0; i < scores.Length; i++)
            {
                if (found.TryGetValue(fusion.Ids[i], out var score))
                    scores[i] = score;
            }
        }

        private async ValueTask<bool> MoveAsync(ConvexFusion fusion, Leg?[] legs, List<Ranking> children, int points)
        {
            var dense = new List<(int Number, DenseLeg Leg)>();
            for (var i = 0; i < legs.Length; i++)
            {
                if (children[i].Hits.Count > 0 && ConvexLegs.Moves(legs[i], owner._schema) is { } leg)
                    dense.Add((i, leg));
            }

            if (dense.Count == 0)
                return false;
            var best = new int[points];
            best = best[..fusion.Best(best)];
            var ids = new List<PointId>();
            foreach (var place in best)
                ids.Add(fusion.Ids[place]);
            var names = dense.Select(d => d.Leg.Vector).Distinct().ToList();
            var selection = new PointSelection(PayloadSelector.None, new VectorSelector(false, names));
            var records = await owner.FetchAsync(ids, selection, read, cancellation).ConfigureAwait(false);
            foreach (var (number, leg) in dense)
            {
                var vectors = new List<ImmutableArray<float>>();
                foreach (var record in records)
                {
                    foreach (var vector in record.Vectors ?? [])
                    {
                        if (vector.Name == leg.Vector)
                            vectors.Add([.. vector.Values]);
                    }
                }

                if (vectors.Count == 0)
                    continue;
                var distance = owner._schema.FindDense(leg.Vector)!.Distance;
                var moved = new float[leg.Query.Length];
                Feedback.Begin(distance, leg.Query.Span, moved);
                foreach (var vector in vectors)
                    Feedback.Add(distance, vector.AsSpan(), vectors.Count, moved);
                var scored = Missing(fusion, number, false);
                fusion.Scores(number).Fill(float.NaN);
                await ScoreAsync(fusion, number, leg with { Query = moved, Filter = null, ScoreThreshold = null }, scored)
                    .ConfigureAwait(false);
            }

            return true;
        }
    }
}
