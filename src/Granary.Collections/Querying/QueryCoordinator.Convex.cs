using System.Collections.Immutable;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

public sealed partial class QueryCoordinator
{
    /// <content>
    /// A convex combination over any number of partitions, the same arithmetic as <see cref="NearQuery"/>: every leg scores every
    /// candidate, the best points move the dense queries, and what they find among the candidates is combined again. In two rounds, as a
    /// rule: each partition searches, scores what it found by every leg and sends the vectors of its best points; then it scores the
    /// candidates by the moved queries, and sends points that will be among the hits along.
    /// </content>
    private sealed partial class Run
    {
        /// <summary>How far beyond its share of a leg's hits a partition scores them by the other legs.</summary>
        private const double CrossDeviations = 3.5;

        private readonly Dictionary<LegNode, Leg> _asked = new(ReferenceEqualityComparer.Instance);
        private PointSelection? _wanted;
        private Dictionary<PointId, PointRecord?>? _brought;

        /// <summary>What the partitions are to send along with the hits where the plan is a combination of legs.</summary>
        private CrossScoring? CrossOf(PlanNode root)
        {
            if (root is not FusionNode { Fusion: ConvexQuery convex } || root.Children.Length < 2)
                return null;
            var hits = ImmutableArray.CreateBuilder<int>(root.Children.Length);
            var weights = ImmutableArray.CreateBuilder<float>(root.Children.Length);
            foreach (var child in root.Children)
            {
                if (child is not LegNode { Leg: var leg } || !ConvexLegs.Scores(leg))
                    return null;
                weights.Add(WeightOf(convex, weights.Count, leg));
                hits.Add(PartLimit(leg.Limit, owner._partitions.Count, CrossDeviations));
            }

            return new CrossScoring(hits.MoveToImmutable(), weights.MoveToImmutable(), convex.Feedback);
        }

        private async ValueTask<Ranking> ConvexAsync(FusionNode node, ConvexQuery convex, List<Ranking> children)
        {
            var fusion = new ConvexFusion();
            var legs = new Leg?[children.Count];
            for (var i = 0; i < legs.Length; i++)
            {
                legs[i] = await LegOfAsync(node.Children[i]).ConfigureAwait(false);
                fusion.Add(
                    ConvexLegs.ScaleOf(legs[i]), WeightOf(convex, i, legs[i]), children[i].HigherIsBetter,
                    children[i].Hits as List<LegHit> ?? [.. children[i].Hits]);
            }

            if (fusion.Found > 1)
            {
                // What found nothing scores nothing.
                for (var i = 0; i < legs.Length; i++)
                    legs[i] = children[i].Hits.Count > 0 ? legs[i] : null;
                await CompleteAsync(node, fusion, legs).ConfigureAwait(false);
                fusion.Combine();
                if (convex.Feedback > 0 && await MoveAsync(node, fusion, legs, convex.Feedback).ConfigureAwait(false))
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

        private static float WeightOf(ConvexQuery convex, int child, Leg? leg) =>
            convex.Weights.IsDefaultOrEmpty ? ConvexFusion.WeightOf(ConvexLegs.ScaleOf(leg)) : convex.Weights[child];

        /// <summary>The leg that can score more points; null where the child is none.</summary>
        private async ValueTask<Leg?> LegOfAsync(PlanNode child) => child switch
        {
            LegNode leaf => _asked[leaf],
            RescoreNode rescore => (await WithStatisticsAsync([rescore.Template]).ConfigureAwait(false))[0],
            _ => null,
        };

        /// <summary>Has every leg score every candidate: as far as the partitions did along with searching, from that.</summary>
        private async ValueTask CompleteAsync(FusionNode node, ConvexFusion fusion, Leg?[] legs)
        {
            var known = new bool[fusion.Ids.Length];
            foreach (var part in CrossScoresOf(node))
            {
                for (var i = 0; i < part.Ids.Count; i++)
                {
                    if (fusion.PlaceOf(part.Ids[i]) is var place && place < 0)
                        continue;
                    known[place] = true;
                    for (var leg = 0; leg < legs.Length; leg++)
                    {
                        if (legs[leg] is not null && float.IsNaN(fusion.Scores(leg)[place]))
                            fusion.Scores(leg)[place] = part.Scores[leg][i];
                    }
                }
            }

            var asked = new List<Scoring>();
            for (var i = 0; i < legs.Length; i++)
            {
                if (legs[i] is not { } leg)
                    continue;
                var missing = new List<PointId>();
                var scores = fusion.Scores(i);
                for (var place = 0; place < known.Length; place++)
                {
                    if (!known[place] && float.IsNaN(scores[place]))
                        missing.Add(fusion.Ids[place]);
                }

                if (missing.Count > 0)
                    asked.Add(new Scoring(i, leg, missing));
            }

            await ScoreAsync(fusion, asked, null).ConfigureAwait(false);
        }

        private IEnumerable<CrossScores> CrossScoresOf(FusionNode node) =>
            ReferenceEquals(node, _root) && _along is { } parts ? parts.Select(p => p.Cross).OfType<CrossScores>() : [];

        /// <summary>Scores points by legs in one round; others may come along.</summary>
        private async ValueTask ScoreAsync(ConvexFusion fusion, List<Scoring> asked, List<PointId>? along)
        {
            if (asked.Count == 0)
                return;
            var points = asked.ConvertAll(a => owner.Split(a.Points));
            var wanted = along is null ? null : owner.Split(along);
            var heavy = asked.Sum(a => a.Points.Count) > 10_000;
            var answers = await owner.EachAsync<PartitionAnswer?>(
                async p =>
                {
                    var legs = new List<Leg>(asked.Count);
                    for (var i = 0; i < asked.Count; i++)
                    {
                        if (points[i][p.Number] is { } mine)
                            legs.Add(asked[i].Leg with { Candidates = mine, Limit = mine.Count });
                    }

                    if (legs.Count == 0 && wanted?[p.Number] is null)
                        return null;
                    var request = new PartitionRequest(legs, read);
                    if (wanted?[p.Number] is { } ids)
                        request = request with { Fetch = _wanted, Points = ids };
                    return await p.SearchAsync(request, cancellation).ConfigureAwait(false);
                },
                heavy).ConfigureAwait(false);
            for (var p = 0; p < answers.Length; p++)
            {
                if (answers[p] is not { } answer)
                    continue;
                var next = 0;
                for (var i = 0; i < asked.Count; i++)
                {
                    if (points[i][p] is null)
                        continue;
                    var scores = fusion.Scores(asked[i].Number);
                    foreach (var hit in RankingOf(asked[i].Leg, answer.Legs[next++]).Hits)
                        scores[fusion.PlaceOf(hit.Id)] = hit.Score;
                }

                foreach (var point in answer.Points ?? [])
                    _brought![point.Id] = point;
            }
        }

        private async ValueTask<bool> MoveAsync(FusionNode node, ConvexFusion fusion, Leg?[] legs, int points)
        {
            var dense = new List<(int Number, DenseLeg Leg)>();
            for (var i = 0; i < legs.Length; i++)
            {
                if (ConvexLegs.Moves(legs[i], owner._schema) is { } leg)
                    dense.Add((i, leg));
            }

            if (dense.Count == 0)
                return false;
            var best = await BestAsync(node, fusion, points, [.. dense.Select(d => d.Leg.Vector).Distinct()]).ConfigureAwait(false);
            var asked = new List<Scoring>();
            foreach (var (number, leg) in dense)
            {
                var vectors = new List<float[]>();
                foreach (var vector in best.SelectMany(b => b.Vectors ?? []))
                {
                    if (vector.Name == leg.Vector)
                        vectors.Add(vector.Values);
                }

                if (vectors.Count == 0)
                    continue;
                var distance = owner._schema.FindDense(leg.Vector)!.Distance;
                var moved = new float[leg.Query.Length];
                Feedback.Begin(distance, leg.Query.Span, moved);
                foreach (var vector in vectors)
                    Feedback.Add(distance, vector, vectors.Count, moved);
                asked.Add(new Scoring(
                    number, leg with { Query = moved, Filter = null, ScoreThreshold = null }, Scored(fusion, number)));
            }

            var along = asked.Count > 0 ? Bring(node, fusion) : null;
            foreach (var scoring in asked)
                fusion.Scores(scoring.Number).Fill(float.NaN);
            await ScoreAsync(fusion, asked, along).ConfigureAwait(false);
            return true;
        }

        private static List<PointId> Scored(ConvexFusion fusion, int leg)
        {
            var ids = new List<PointId>();
            var scores = fusion.Scores(leg);
            for (var i = 0; i < scores.Length; i++)
            {
                if (!float.IsNaN(scores[i]))
                    ids.Add(fusion.Ids[i]);
            }

            return ids;
        }

        /// <summary>The best points with their vectors: those that came along, or asked for.</summary>
        private async ValueTask<IReadOnlyList<PointRecord>> BestAsync(
            FusionNode node, ConvexFusion fusion, int count, IReadOnlyList<string> vectors)
        {
            var places = new int[count];
            places = places[..fusion.Best(places)];
            var ids = new List<PointId>(places.Length);
            foreach (var place in places)
                ids.Add(fusion.Ids[place]);
            var came = CrossScoresOf(node).SelectMany(c => c.Best).Where(b => ids.Contains(b.Id)).ToList();
            if (came.Count == ids.Count)
                return came.OrderBy(b => ids.IndexOf(b.Id)).ToList();
            var selection = new PointSelection(PayloadSelector.None, new VectorSelector(false, vectors));
            return await owner.FetchAsync(ids, selection, read, cancellation).ConfigureAwait(false);
        }

        /// <summary>
        /// The points that come along with the last scores: those that will be among the hits, as far as one can know before. Null: they
        /// are asked for.
        /// </summary>
        private List<PointId>? Bring(FusionNode node, ConvexFusion fusion)
        {
            if (!ReferenceEquals(node, _root) || _wanted is not { Vectors: { All: false, Names: null or { Count: 0 } } } selection)
                return null;
            var most = selection.Payload.Enabled ? Math.Min(MostPayloadsBrought, (2 * node.Limit) + SparePoints) : MostAlong;
            if (node.Limit > most)
                return null;
            var ranking = new List<LegHit>();
            fusion.Rank(most, ranking);
            var ids = ranking.ConvertAll(h => h.Id);
            _brought = new Dictionary<PointId, PointRecord?>(ids.Count);
            foreach (var id in ids)
                _brought[id] = null;
            return ids;
        }

        /// <summary>Points to be scored by a leg.</summary>
        private sealed record Scoring(int Number, Leg Leg, List<PointId> Points);
    }
}
