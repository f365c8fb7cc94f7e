using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Collections.Querying;

public sealed partial class QueryCoordinator
{
    /// <content>
    /// Searching texts in one round: with the statistics that are known, which every partition compares with its own, and for no more hits
    /// of each than it will have among the best of all. What turns out otherwise is asked again, so that the answer is the same.
    /// </content>
    private sealed partial class Run
    {
        /// <summary>How far beyond its share a partition is asked at first.</summary>
        private const double Deviations = 2.2;

        /// <summary>So often partitions are asked again while what they have changes in between.</summary>
        private const int MostRounds = 4;

        /// <summary>Null: the legs need no statistics, some are not known, or they changed.</summary>
        private async ValueTask<(PartitionAnswer[] Parts, IReadOnlyList<Leg> Asked)?> TryAssumingAsync(
            IReadOnlyList<Leg> legs, PointSelection? along, CrossScoring? cross)
        {
            for (var corrected = false; Assume(legs, corrected) is { } assumed; corrected = true)
            {
                var parts = await SearchEachAsync(legs, assumed, along, cross).ConfigureAwait(false);
                if (Holds(legs, parts))
                {
                    return await TryCompleteAsync(legs, assumed, parts, along).ConfigureAwait(false)
                        ? (parts, [.. legs.Select((leg, i) => ConvexLegs.Settled(assumed[0][i]) with { Limit = leg.Limit })]) : null;
                }

                if (corrected)
                    break;
            }

            return null;
        }

        /// <summary>
        /// The legs for each partition, with the statistics that are known for their texts; null where some are not, or none are needed.
        /// </summary>
        private Leg[][]? Assume(IReadOnlyList<Leg> legs, bool corrected)
        {
            Leg[][]? assumed = null;
            if (owner._partitions.Count == 1)
                return null;
            for (var i = 0; i < legs.Count; i++)
            {
                if (Weighted(legs[i]) is not null)
                    return null;
                if (legs[i] is not TextLeg text)
                    continue;
                if (owner._known.Find(text, corrected) is not { } known)
                    return null;
                assumed ??= [.. owner._partitions.Select(_ => legs.ToArray())];
                for (var p = 0; p < known.Length; p++)
                    assumed[p][i] = text with { Known = known[p], Limit = PartLimit(text.Limit, known.Length) };
            }

            return assumed;
        }

        /// <summary>
        /// How many hits each of some partitions is asked for at first: one has rarely more of the best of all than its share and some
        /// deviations (of the binomial distribution that placement by hash gives), and finding fewer costs less than in proportion.
        /// </summary>
        private static int PartLimit(int limit, int partitions, double deviations = Deviations) =>
            SharedSearches.ShareLimit(limit, 1.0 / partitions, deviations);

        /// <summary>
        /// Asks partitions again, for as many hits as are wanted in all, where all that they gave are among the best of all: the next ones
        /// may be, too; and where they left out what might be. What they give then may lack points that were deleted since, so that what
        /// others left out is wanted after all: it is looked at anew, some times. False where the statistics are others by now.
        /// </summary>
        private async ValueTask<bool> TryCompleteAsync(
            IReadOnlyList<Leg> legs, Leg[][] assumed, PartitionAnswer[] parts, PointSelection? along)
        {
            for (var round = 0; round < MostRounds && Lacking(legs, assumed, parts) is { } lacking; round++)
            {
                var answers = await owner.EachAsync<PartitionAnswer?>(
                    async p => lacking[p.Number] is { } wanted
                        ? await p.SearchAsync(
                            new PartitionRequest([.. wanted.Select(w => w.Leg)], read) { Fetch = along }, cancellation)
                            .ConfigureAwait(false)
                        : null, true).ConfigureAwait(false);
                for (var p = 0; p < parts.Length; p++)
                {
                    if (answers[p] is not { } answer)
                        continue;
                    if (answer.Statistics is not null)
                        return false;
                    var results = parts[p].Legs.ToArray();
                    for (var j = 0; j < answer.Legs.Count; j++)
                    {
                        var (place, leg) = lacking[p]![j];
                        (results[place], assumed[p][place]) = (answer.Legs[j], leg);
                    }

                    parts[p] = parts[p] with { Legs = results, Points = answer.Points ?? parts[p].Points };
                }
            }

            return true;
        }

        /// <summary>The legs that each partition is to be asked again, with their places; null where none is.</summary>
        private static List<(int Place, Leg Leg)>?[]? Lacking(IReadOnlyList<Leg> legs, Leg[][] assumed, PartitionAnswer[] parts)
        {
            List<(int, Leg)>?[]? lacking = null;
            for (var i = 0; i < legs.Count; i++)
            {
                var (place, limit) = (i, legs[i].Limit);
                if (Array.TrueForAll(assumed, a => a[place].Limit >= limit) && !Array.Exists(parts, p => p.Legs[place].Floor is not null))
                    continue;
                var rankings = parts.Select(p => RankingOf(legs[place], p.Legs[place])).ToList();
                var best = Ranking.Merge(rankings, limit).Hits;
                var least = Least(legs[i], best);
                for (var p = 0; p < parts.Length; p++)
                {
                    // Whatever it has besides comes behind the last that it gave, or below its floor.
                    var mine = rankings[p].Hits;
                    var asked = assumed[p][i].Limit;
                    var whole = asked >= limit || mine.Count < asked
                        || (best.Count == limit && (best[^1].Id == mine[^1].Id || !Has(best, mine[^1].Id)));
                    if (whole && !(parts[p].Legs[i].Floor > least))
                        continue;
                    lacking ??= new List<(int, Leg)>?[parts.Length];
                    (lacking[p] ??= []).Add((i, Again(legs[i], assumed[p][i], least)));
                }
            }

            return lacking;
        }

        /// <summary>No hit with a lower score is among the best, whatever else there is.</summary>
        private static float Least(Leg leg, IReadOnlyList<LegHit> best)
        {
            var least = best.Count > 0 && best.Count == leg.Limit ? best[^1].Score : float.NegativeInfinity;
            return leg.ScoreThreshold > least ? leg.ScoreThreshold.Value : least;
        }

        private static Leg Again(Leg leg, Leg asked, float least) => asked is TextLeg text
            ? text with { Limit = leg.Limit, Floor = least > float.NegativeInfinity ? ScoreFloor.At(least) : null }
            : asked with { Limit = leg.Limit };

        private static bool Has(IReadOnlyList<LegHit> hits, PointId id)
        {
            for (var i = hits.Count - 1; i >= 0; i--)
            {
                if (hits[i].Id == id)
                    return true;
            }

            return false;
        }

        /// <summary>Whether every partition found its part of the statistics as assumed; what it has instead is kept.</summary>
        private bool Holds(IReadOnlyList<Leg> legs, PartitionAnswer[] parts)
        {
            var holds = true;
            for (var p = 0; p < parts.Length; p++)
            {
                if (parts[p].Statistics is not { } own)
                    continue;
                holds = false;
                var text = 0;
                foreach (var leg in legs.OfType<TextLeg>())
                    owner._known.Correct(leg.Field, p, own.Texts[text++]);
            }

            return holds;
        }
    }
}
