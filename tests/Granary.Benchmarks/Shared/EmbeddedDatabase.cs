using Granary.Client;
using Granary.Collections;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>The engine in this process, with its storage in a temporary folder.</summary>
internal sealed class EmbeddedDatabase : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;

    private EmbeddedDatabase(DirectoryInfo folder, Database database) => (_folder, Database) = (folder, database);

    public Database Database { get; }

    /// <summary>What its files take.</summary>
    public long DiskBytes => _folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    public static async Task<EmbeddedDatabase> OpenAsync()
    {
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        var storage = await GranaryStorage.OpenAsync($"file:{folder.FullName}");
        return new EmbeddedDatabase(folder, await Database.OpenAsync(storage, new DatabaseOptions(), CancellationToken.None));
    }

    /// <summary>Makes a collection with one unnamed dense vector.</summary>
    public async Task<ICollection> CreateAsync(string name, int size, Distance distance, IngestionSettings? ingestion = null,
        VectorStorage storage = VectorStorage.Float32WithCodes)
    {
        var config = new CollectionConfig
        {
            Schema = new IndexSchema { Dense = [new DenseVectorSchema("", size, distance) { Storage = storage }] },
            Ingestion = ingestion ?? new IngestionSettings(),
        };
        await Database.CreateCollectionAsync(name, config);
        return await Database.GetCollectionAsync(name);
    }

    /// <summary>A batch of rows of a set, with ids from <paramref name="firstId"/>.</summary>
    public static WriteBatch Batch(VectorSet set, int from, int count, ulong firstId)
    {
        var batch = new WriteBatch();
        for (var i = 0; i < count; i++)
        {
            batch.Operations.Begin(Index.Operations.OperationKind.Upsert, new PointId(firstId + (ulong)i));
            batch.Operations.Dense("", set[(from + i) % set.Count]);
            batch.Operations.End();
        }

        return batch;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
