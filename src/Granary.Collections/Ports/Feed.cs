namespace Granary.Collections.Ports;

/// <summary>
/// Tells an indexer that its partition's log grew. A doorbell, nothing more: losing, repeating, delaying or reordering rings
/// changes nothing in the end, since the indexer reads the log.
/// </summary>
public interface IFeed
{
    /// <summary>Rings: operations up to <paramref name="lastOperation"/> are in the log. Never waits, never throws.</summary>
    void Ring(long firstOperation, long lastOperation);
}

/// <summary>The listening end of a feed.</summary>
public interface IFeedListener
{
    /// <summary>
    /// Completes at the next ring after the last one returned, with the newest operation heard of, or after the time limit with the last
    /// one heard; at once where the limit is zero.
    /// </summary>
    ValueTask<long> WaitAsync(TimeSpan limit, CancellationToken cancellation);
}
