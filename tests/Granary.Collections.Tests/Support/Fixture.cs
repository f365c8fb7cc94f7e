using System.Collections.Immutable;
using Granary.Collections.Partitions;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Support;

/// <summary>A database over storage in memory with one collection, <c>c</c>.</summary>
internal sealed class Fixture : IAsyncDisposable
{
    public static readonly CollectionConfig Plain = new()
    {
        Schema = new IndexSchema
        {
            Dense = [new DenseVectorSchema("", 8, Distance.Dot)],
            Sparse = [new SparseVectorSchema("terms", true)],
            Text = [new TextFieldSchema("text", "text")],
        },
    };

    private Fixture(MemoryStorage storage, Database database, DatabaseOptions options) =>
        (Storage, Database, Options) = (storage, database, options);

    public MemoryStorage Storage { get; private set; }

    public Database Database { get; private set; }

    public DatabaseOptions Options { get; }

    public ICollection Collection { get; private set; } = null!;

    public static async Task<Fixture> CreateAsync(
        CollectionConfig? config = null, DatabaseOptions? options = null, MemoryStorage? storage = null, IPartitionHost? host = null)
    {
        storage ??= new MemoryStorage();
        options ??= new DatabaseOptions();
        var fixture = new Fixture(storage, await Database.OpenAsync(storage, options, host, default), options);
        await fixture.Database.CreateCollectionAsync("c", config ?? Plain);
        fixture.Collection = await fixture.Database.GetCollectionAsync("c");
        return fixture;
    }

    /// <summary>Starts again on what the storage has, as after a kill: nothing is drained.</summary>
    public async Task KillAndRestartAsync(Action<MemoryFaults>? before = null)
    {
        var survived = Storage.Reopen();
        await Database.CloseNowAsync();
        before?.Invoke(survived.Faults);
        (Storage, Database) = (survived, await Database.OpenAsync(survived, Options, default));
        Collection = await Database.GetCollectionAsync("c");
    }

    /// <summary>Stops in good order and starts again.</summary>
    public async Task RestartAsync()
    {
        await Database.DisposeAsync();
        Storage = Storage.Reopen();
        Database = await Database.OpenAsync(Storage, Options, default);
        Collection = await Database.GetCollectionAsync("c");
    }

    public async Task<ImmutableArray<PointRecord>> AllAsync(ReadOptions? read = null)
    {
        var page = await Collection.ScrollAsync(
            new ScrollRequest { Limit = 1_000_000, WithVectors = new VectorSelector(true), Read = read ?? new ReadOptions() });
        return page.Points;
    }

    public ValueTask DisposeAsync() => Database.CloseNowAsync();
}
