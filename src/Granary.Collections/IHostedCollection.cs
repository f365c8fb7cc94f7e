namespace Granary.Collections;

/// <summary>What the database needs of a collection it holds beyond what callers do.</summary>
internal interface IHostedCollection : ICollection, IAsyncDisposable
{
    /// <summary>Replaces the settings.</summary>
    ValueTask UpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation);

    /// <summary>Drains every partition's queue and takes checkpoints.</summary>
    ValueTask DrainAsync(CancellationToken cancellation);
}
