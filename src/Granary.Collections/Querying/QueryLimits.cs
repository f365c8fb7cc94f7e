using System.Collections.Immutable;
using Granary.Index;

namespace Granary.Collections.Querying;

/// <summary>How large the tree of a query's prefetches may be: each is planned, and run on every partition.</summary>
public static class QueryLimits
{
    /// <summary>Prefetches may be nested so deep; Qdrant's limit.</summary>
    public const int MaxDepth = 64;

    /// <summary>A query may have so many prefetches, nested ones included.</summary>
    public const int MaxPrefetches = 1_024;

    /// <summary>Checks a query before it is walked by recursion.</summary>
    /// <exception cref="GranaryException">It has too many prefetches, or they are nested too deep.</exception>
    public static void Check(QueryRequest request)
    {
        if (IsFlat(request.Prefetches))
            return;
        var count = 0;
        var level = new List<ImmutableArray<Prefetch>> { request.Prefetches };
        for (var depth = 1; level.Count > 0; depth++)
        {
            var next = new List<ImmutableArray<Prefetch>>();
            foreach (var prefetches in level.Where(static p => !p.IsDefaultOrEmpty))
            {
                CheckDepth(depth);
                CheckCount(count += prefetches.Length);
                next.AddRange(prefetches.Select(static p => p.Prefetches));
            }

            level = next;
        }
    }

    private static bool IsFlat(ImmutableArray<Prefetch> prefetches)
    {
        if (prefetches.IsDefaultOrEmpty)
            return true;
        CheckCount(prefetches.Length);
        foreach (var prefetch in prefetches)
        {
            if (!prefetch.Prefetches.IsDefaultOrEmpty)
                return false;
        }

        return true;
    }

    /// <summary>Checks how deep a prefetch stands; one of the query itself stands at 1.</summary>
    /// <exception cref="GranaryException">It is too deep.</exception>
    public static void CheckDepth(int depth)
    {
        if (depth > MaxDepth)
            throw GranaryException.BadInput($"prefetches depth {depth} exceeds max depth {MaxDepth}");
    }

    /// <summary>Checks how many prefetches a query has.</summary>
    /// <exception cref="GranaryException">It has too many.</exception>
    public static void CheckCount(int count)
    {
        if (count > MaxPrefetches)
            throw GranaryException.Validation(
                $"prefetch: {count} prefetches invalid, a query may have at most {MaxPrefetches}, nested ones included");
    }
}
