using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Querying;

/// <summary>Combining filters without changing what either means.</summary>
internal static class Filters
{
    /// <summary>Both hold; null stands for every point.</summary>
    public static Filter? And(Filter? a, Filter? b)
    {
        if (a is null || a.IsEmpty)
            return b is null || b.IsEmpty ? null : b;
        if (b is null || b.IsEmpty)
            return a;
        return new Filter { Must = [new FilterCondition(a), new FilterCondition(b)] };
    }

    /// <summary>All but these points.</summary>
    public static Filter? Without(IReadOnlyCollection<PointId> ids) =>
        ids.Count == 0 ? null : new Filter { MustNot = [new HasIdCondition([.. ids])] };
}
