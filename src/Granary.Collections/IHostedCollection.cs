using Granary.Index;

namespace Granary.Collections;

/// <summary>What the database needs of a collection it holds beyond what callers do.</summary>
internal interface IHostedCollection : ICollection, IAsyncDisposable
{
    /// <summary>Replaces the settings.</summary>
    ValueTask UpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation);

    /// <summary>Replaces the settings; what partitions must do for it is logged and not waited for.</summary>
    ValueTask<LoggedChange> LogUpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation);

    /// <summary>Adds or replaces a payload index; it is logged and not waited for.</summary>
    ValueTask<LoggedChange> LogIndexAsync(PayloadIndexSchema index, CancellationToken cancellation);

    /// <summary>Removes a payload index; it is logged and not waited for.</summary>
    ValueTask<LoggedChange> LogIndexRemovalAsync(string path, CancellationToken cancellation);

    /// <summary>Waits for a change that was logged, as far as the caller wants, and answers.</summary>
    ValueTask<UpdateResult> AnswerAsync(LoggedChange change, WriteOptions options, CancellationToken cancellation);

    /// <summary>Uses the settings that another process put into the catalog.</summary>
    ValueTask FollowAsync(CollectionConfig config, CancellationToken cancellation);

    /// <summary>Brings partitions whose schema is not the catalog's (a crash came between) in line with it; false: not all
    /// could be reached.</summary>
    Task<bool> ReconcileAsync();

    /// <summary>Names the collection's data.</summary>
    Guid Incarnation { get; }

    /// <summary>Drains every partition's queue and takes checkpoints.</summary>
    ValueTask DrainAsync(CancellationToken cancellation);
}
