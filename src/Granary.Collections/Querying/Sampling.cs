using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>Random choices that a seed repeats, whatever order the points come in.</summary>
internal static class Sampling
{
    public static Ranking Pick(List<PointId> ids, ulong seed, int limit)
    {
        ids.Sort((a, b) => Key(a, seed).CompareTo(Key(b, seed)));
        return new Ranking([.. ids.Take(limit).Select(id => new LegHit(id, 1))], RankingOrder.None);
    }

    /// <summary>FNV-1a over the canonical id bytes, mixed with the seed by splitmix64.</summary>
    private static ulong Key(PointId id, ulong seed)
    {
        Span<byte> bytes = stackalloc byte[PointId.EncodedSize];
        id.Encode(bytes);
        var hash = seed ^ 14695981039346656037UL;
        foreach (var b in bytes)
            hash = (hash ^ b) * 1099511628211UL;
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        return hash ^ (hash >> 31);
    }
}
