using System.Globalization;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Files;

namespace Granary.Collections.Tests.Rules;

/// <summary>With <c>on_disk</c>, originals leave memory with a checkpoint and come back mapped; answers do not change.</summary>
public sealed class OriginalsOnDisk : IDisposable
{
    private const int Size = 64;
    private const int Count = 3000;
    private readonly string _folder = Directory.CreateTempSubdirectory("granary-on-disk-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public async Task OriginalsAreServedFromTheNewestCheckpointWhileRunningAndAfterARestart()
    {
        await using var fixture = await Fixture.CreateAsync(Config(onDisk: false));
        await FillAsync(fixture.Collection, 0, Count);
        await using (var database = await OpenAsync())
        {
            await database.CreateCollectionAsync("c", Config(onDisk: true));
            var collection = await database.GetCollectionAsync("c");
            await FillAsync(collection, 0, Count);
            Assert.Empty(MappedCheckpoints());
            await collection.CheckpointAsync();
            var first = MappedCheckpoints();
            CheckMapped(first);
            await CompareAsync(fixture.Collection, collection);

            await FillAsync(collection, Count / 2, Count);
            await FillAsync(fixture.Collection, Count / 2, Count);
            await collection.CheckpointAsync();
            CheckMapped(MappedCheckpoints());
            Assert.NotEqual(OperatingSystem.IsLinux(), first.SequenceEqual(MappedCheckpoints()));
            await CompareAsync(fixture.Collection, collection);
        }

        Assert.Empty(MappedCheckpoints());
        await using (var database = await OpenAsync())
        {
            var collection = await database.GetCollectionAsync("c");
            await CompareAsync(fixture.Collection, collection);
            CheckMapped(MappedCheckpoints());
            await FillAsync(collection, 0, 200);
            await FillAsync(fixture.Collection, 0, 200);
            await CompareAsync(fixture.Collection, collection);
            await database.DeleteCollectionAsync("c");
        }

        Assert.Empty(MappedCheckpoints());
    }

    // The system maps where it is Linux.
    private static void CheckMapped(List<string> checkpoints) => Assert.Equal(OperatingSystem.IsLinux() ? 1 : 0, checkpoints.Count);

    private static async Task CompareAsync(ICollection expected, ICollection actual)
    {
        Assert.Equal(await expected.CountAsync(null), await actual.CountAsync(null));
        for (var seed = 0; seed < 10; seed++)
        {
            var request = new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(Vector(seed))),
                Params = new SearchParams { Exact = true },
                Limit = 20,
                WithVectors = new VectorSelector(true),
            };
            Assert.Equal(await LinesAsync(expected, request), await LinesAsync(actual, request));
        }
    }

    private static async Task<List<string>> LinesAsync(ICollection collection, QueryRequest request) =>
        [.. (await collection.QueryAsync(request)).Select(hit => string.Create(CultureInfo.InvariantCulture,
            $"{hit.Id} {hit.Score:R} {string.Join(",", hit.Vectors!.Value[0].Values)}"))];

    private static async Task FillAsync(ICollection collection, int from, int count)
    {
        var batch = new WriteBatch();
        for (var id = from; id < from + count; id++)
            batch.Upsert((ulong)id, Vector((from * 31) + id));
        await collection.WriteAsync(batch, Batches.Wait);
    }

    private static float[] Vector(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Size).Select(_ => (float)random.NextDouble() - 0.5f)];
    }

    private static CollectionConfig Config(bool onDisk) => new()
    {
        Schema = new IndexSchema { Dense = [new DenseVectorSchema("", Size, Distance.Cosine) { OnDisk = onDisk }] },
    };

    private async Task<Database> OpenAsync() =>
        await Database.OpenAsync(await FileStorage.OpenAsync(_folder), new DatabaseOptions(), default);

    // Sections of this test's folder that the process maps, deleted ones too.
    private List<string> MappedCheckpoints() => OperatingSystem.IsLinux()
        ? [.. File.ReadLines("/proc/self/maps").Where(line => line.Contains(_folder, StringComparison.Ordinal))
            .Select(line => line[line.IndexOf(_folder, StringComparison.Ordinal)..]).Distinct()]
        : [];
}
