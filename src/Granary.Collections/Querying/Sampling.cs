using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>Random choices that a seed repeats, whatever order the points come in.</summary>
internal static class Sampling
{
    public static Ranking Pick(List<PointId> ids, ulong seed, int limit)
    {
        ids.Sort((a, b) => SampleOrder.Key(seed, a).CompareTo(SampleOrder.Key(seed, b)));
        return new Ranking([.. ids.Take(limit).Select(id => new LegHit(id, 1))], RankingOrder.None);
    }
}
