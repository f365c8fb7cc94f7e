using System.Runtime.InteropServices;
using Granary.Collections.Querying;
using Granary.Index;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Searching;

/// <summary>Scores the hits of a partition's legs by all of the legs, and says which are the best together.</summary>
internal static class CrossScorer
{
    [ThreadStatic]
    private static ConvexFusion? _idle;

    /// <summary>The scores are bit-equal to what the legs would find.</summary>
    public static CrossScores Score(
        IndexReader reader, IReadOnlyList<Leg> legs, LegResult[] results, CrossScoring asked, CancellationToken cancellation)
    {
        if (asked.Hits.Length != legs.Count || asked.Weights.Length != legs.Count)
            throw GranaryException.BadInput($"{legs.Count} legs, {asked.Hits.Length} bounds and {asked.Weights.Length} weights: as many");
        var fusion = _idle ?? new ConvexFusion();
        _idle = null;
        try
        {
            for (var i = 0; i < legs.Count; i++)
            {
                var hits = results[i].Hits as List<LegHit> ?? [.. results[i].Hits];
                var count = Math.Min(hits.Count, Math.Max(0, asked.Hits[i]));
                fusion.Add(
                    ConvexLegs.ScaleOf(legs[i]), asked.Weights[i], results[i].HigherIsBetter, CollectionsMarshal.AsSpan(hits)[..count]);
            }

            var scores = new float[legs.Count][];
            for (var i = 0; i < legs.Count; i++)
            {
                reader.Complete(ConvexLegs.Settled(legs[i]), fusion.Ids, fusion.Scores(i), cancellation);
                scores[i] = fusion.Scores(i).ToArray();
            }

            return new CrossScores(fusion.Ids.ToArray(), scores, Best(reader, legs, fusion, asked.Vectors));
        }
        finally
        {
            fusion.Clear();
            _idle = fusion;
        }
    }

    /// <summary>The points that are best among the partition's own: most often those of its that are best of all.</summary>
    private static List<PointRecord> Best(IndexReader reader, IReadOnlyList<Leg> legs, ConvexFusion fusion, int count)
    {
        var points = new List<PointRecord>();
        var names = new List<string>();
        foreach (var leg in legs)
        {
            if (leg is DenseLeg { Rows: 1 } dense && !names.Contains(dense.Vector))
                names.Add(dense.Vector);
        }

        if (count <= 0 || names.Count == 0)
            return points;
        fusion.Combine();
        var places = new int[Math.Min(count, Feedback.MaxPoints)];
        var vectors = new VectorSelector(false, names);
        foreach (var place in places.AsSpan(0, fusion.Best(places)))
        {
            if (reader.TryGet(fusion.Ids[place], vectors, false, out var point))
                points.Add(new PointRecord(point!.Id, point.Operation) { Vectors = point.Vectors });
        }

        return points;
    }
}
