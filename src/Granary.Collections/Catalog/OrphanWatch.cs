namespace Granary.Collections.Catalog;

/// <summary>
/// Which of the incarnations that storage has and the catalog does not may be dropped. A collection that is being created looks like one
/// until its entry is committed, so that only what was seen before, some time ago, is.
/// </summary>
public static class OrphanWatch
{
    /// <summary>How long between the first look and the one that drops.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Tells what to drop, and what to remember for the next look.</summary>
    /// <param name="seen">What the last look remembered: since when each was seen without interruption.</param>
    /// <param name="orphans">What this look found.</param>
    /// <param name="now">The time of this look.</param>
    public static (IReadOnlyList<Guid> Drop, Dictionary<Guid, DateTimeOffset> Seen) Sift(
        IReadOnlyDictionary<Guid, DateTimeOffset> seen, IReadOnlyList<Guid> orphans, DateTimeOffset now)
    {
        var drop = new List<Guid>();
        var left = new Dictionary<Guid, DateTimeOffset>();
        foreach (var incarnation in orphans)
        {
            // A clock that was set back begins anew.
            var since = seen.TryGetValue(incarnation, out var first) && first <= now ? first : now;
            if (now - since >= Patience)
                drop.Add(incarnation);
            // What cannot be dropped now is dropped at the next look.
            left[incarnation] = since;
        }

        return (drop, left);
    }
}
