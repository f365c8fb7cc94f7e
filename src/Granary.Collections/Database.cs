using Granary.Collections.Ports;

namespace Granary.Collections;

/// <summary>The standalone host's engine: every collection, with its partitions, in this process.</summary>
public sealed class Database : IDatabase, IAsyncDisposable
{
    private readonly IStorage _storage;

    private Database(IStorage storage) => _storage = storage;

    /// <summary>Opens every collection of the storage. The database owns the storage from here on.</summary>
    public static ValueTask<Database> OpenAsync(IStorage storage, DatabaseOptions options, CancellationToken cancellation) =>
        ValueTask.FromResult(new Database(storage));

    /// <inheritdoc/>
    public string StorageKind => _storage.Kind;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<bool> CollectionExistsAsync(string name, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask CreateCollectionAsync(string name, CollectionConfig config, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask UpdateCollectionAsync(string name, Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<bool> DeleteCollectionAsync(string name, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<AliasInfo>> ListAliasesAsync(string? collection = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask UpdateAliasesAsync(IReadOnlyList<AliasAction> actions, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<ICollection> GetCollectionAsync(string name, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Drains the queues, takes checkpoints and closes the storage.</summary>
    public ValueTask DisposeAsync() => _storage.DisposeAsync();
}
