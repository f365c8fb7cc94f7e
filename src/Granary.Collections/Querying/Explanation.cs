using Granary.Index;

namespace Granary.Collections.Querying;

/// <summary>Shows where each hit stood in every top-level prefetch.</summary>
internal static class Explanation
{
    public static IReadOnlyList<ScoredPoint> Add(IReadOnlyList<ScoredPoint> points, IReadOnlyList<Ranking> legs)
    {
        var places = legs.Select(leg =>
        {
            var place = new Dictionary<PointId, LegRank>(leg.Hits.Count);
            for (var rank = 0; rank < leg.Hits.Count; rank++)
                place.TryAdd(leg.Hits[rank].Id, new LegRank(rank, leg.Hits[rank].Score));
            return place;
        }).ToList();
        return [.. points.Select(p => p with { Legs = [.. places.Select(place => place.GetValueOrDefault(p.Id))] })];
    }
}
