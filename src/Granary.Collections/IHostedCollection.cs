namespace Granary.Collections;

/// <summary>What the database needs of a collection it holds beyond what callers do.</summary>
internal interface IHostedCollection : ICollection, IAsyncDisposable
{
    /// <summary>Replaces the settings.</summary>
    ValueTask UpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation);

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
