using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Files;

namespace Granary.Collections.Tests.Rules;

public sealed class DamageIsNoticed
{
    private const long Older = 20;
    private const long Newer = 30;

    [Fact]
    public async Task AFlippedByteAnywhereInACheckpointMakesTheOneBeforeServe()
    {
        await using var fixture = await CheckpointedAsync();
        var key = await KeyAsync(fixture.Storage);
        var before = await DescribeAsync(fixture);
        foreach (var (section, length) in fixture.Storage.SectionsOf(key, Newer))
        {
            foreach (var offset in new[] { 0, length / 2, length - 1 }.Where(o => o >= 0 && o < length).Distinct())
            {
                fixture.Storage.FlipByte(key, Newer, section, offset);
                await fixture.KillAndRestartAsync();
                var partition = await PartitionAsync(fixture.Collection);
                Assert.Equal(Older, partition.Checkpointed);
                Assert.Contains($"The checkpoint at operation {Newer} was refused", partition.RecoveryNote);
                Assert.Equal(before, await DescribeAsync(fixture));
                // The next one takes the place of the torn one, and is good.
                await fixture.Collection.CheckpointAsync();
                await fixture.KillAndRestartAsync();
                partition = await PartitionAsync(fixture.Collection);
                Assert.Equal((Newer, null), (partition.Checkpointed, partition.RecoveryNote));
                Assert.Equal(before, await DescribeAsync(fixture));
            }
        }
    }

    [Fact]
    public async Task AFlippedByteInAnyFileOfACheckpointMakesTheOneBeforeServe()
    {
        var folder = Directory.CreateTempSubdirectory("granary-damage-").FullName;
        try
        {
            string[] before;
            await using (var database = new FileDatabase(folder))
            {
                await database.OpenAsync();
                await database.Database.CreateCollectionAsync("c", Fixture.Plain);
                await FillAsync(await database.Database.GetCollectionAsync("c"));
                before = await DescribeAsync(await database.Database.GetCollectionAsync("c"));
            }

            for (var file = 0; file < FilesOf(folder).Length; file++)
            {
                var path = FilesOf(folder)[file];
                var bytes = File.ReadAllBytes(path);
                if (bytes.Length == 0)
                    continue;
                bytes[bytes.Length / 2] ^= 0x41;
                File.WriteAllBytes(path, bytes);
                await using var database = new FileDatabase(folder);
                await database.OpenAsync();
                var collection = await database.Database.GetCollectionAsync("c");
                var partition = await PartitionAsync(collection);
                Assert.Equal(Older, partition.Checkpointed);
                Assert.Contains($"The checkpoint at operation {Newer} was refused", partition.RecoveryNote);
                Assert.Equal(before, await DescribeAsync(collection));
                await collection.CheckpointAsync();
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public async Task ALogShorterThanItsCheckpointGoesOnAfterTheCheckpoint()
    {
        await using var fixture = await CheckpointedAsync();
        var before = await DescribeAsync(fixture);
        fixture.Storage.LoseLog(await KeyAsync(fixture.Storage), 25);
        await fixture.KillAndRestartAsync();
        var partition = await PartitionAsync(fixture.Collection);
        Assert.Contains("The log ended before operation 25; what follows up to 30 is in the checkpoint", partition.RecoveryNote);
        Assert.Equal((Newer, Newer), (partition.Logged, partition.Applied));
        Assert.Equal(before, await DescribeAsync(fixture));
        var written = await fixture.Collection.WriteAsync(new WriteBatch().Upsert(99, new float[8]), Batches.Wait);
        Assert.Equal(Newer + 1, written.OperationId);
        await fixture.KillAndRestartAsync();
        Assert.Equal(before.Length + 1, await fixture.Collection.CountAsync(null));
        Assert.Null((await PartitionAsync(fixture.Collection)).RecoveryNote);
    }

    [Fact]
    public async Task APartitionWhoseLogIsGoneIsRefusedAndNothingOfItIsTouched()
    {
        await using var fixture = await CheckpointedAsync();
        var key = await KeyAsync(fixture.Storage);
        fixture.Storage.LoseLog(key, 0);
        for (var start = 0; start < 2; start++)
        {
            await fixture.KillAndRestartAsync();
            var error = await Assert.ThrowsAsync<GranaryException>(() => fixture.Collection.CountAsync(null).AsTask());
            Assert.Equal(ErrorKind.Unavailable, error.Kind);
            Assert.Contains($"Partition 0 cannot be opened: Partition {key} cannot be recovered: it has a checkpoint at operation 30, but "
                + "its log is gone", error.Message);
            Assert.Equal(ErrorKind.Corrupted, Assert.IsType<GranaryException>(error.InnerException).Kind);
            Assert.NotEmpty(fixture.Storage.SectionsOf(key, Newer));
            Assert.NotEmpty(fixture.Storage.SectionsOf(key, Older));
        }
    }

    [Fact]
    public async Task AMissingLogFolderIsRefused()
    {
        var folder = Directory.CreateTempSubdirectory("granary-damage-").FullName;
        try
        {
            await using (var database = new FileDatabase(folder))
            {
                await database.OpenAsync();
                await database.Database.CreateCollectionAsync("c", Fixture.Plain);
                await FillAsync(await database.Database.GetCollectionAsync("c"));
            }

            var log = Assert.Single(Directory.GetDirectories(folder, "log", SearchOption.AllDirectories));
            var kept = folder + "-log";
            Directory.Move(log, kept);
            await using (var database = new FileDatabase(folder))
            {
                await database.OpenAsync();
                var info = await (await database.Database.GetCollectionAsync("c")).GetInfoAsync();
                Assert.Equal(CollectionColor.Red, info.Color);
                Assert.Contains("its log is gone", info.OptimizerError);
            }

            // Put back, it serves as before.
            Directory.Delete(log, true);
            Directory.Move(kept, log);
            await using (var database = new FileDatabase(folder))
            {
                await database.OpenAsync();
                Assert.Equal(30, await (await database.Database.GetCollectionAsync("c")).CountAsync(null));
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public async Task ACollectionThatCannotBeRecoveredIsRedAndTheOthersServe()
    {
        await using var fixture = await CheckpointedAsync(Fixture.Plain with { Partitions = 2 });
        var damaged = await KeyAsync(fixture.Storage);
        await fixture.Database.CreateCollectionAsync("other", Fixture.Plain);
        await (await fixture.Database.GetCollectionAsync("other")).WriteAsync(new WriteBatch().Upsert(1, new float[8]), Batches.Wait);
        await fixture.Database.UpdateAliasesAsync([new CreateAlias("c", "alias")]);
        var before = await DescribeAsync(fixture);
        var key = damaged with { Number = 1 };
        fixture.Storage.LoseLog(key, 0);
        await fixture.KillAndRestartAsync();

        Assert.Equal(["c", "other"], await fixture.Database.ListCollectionsAsync());
        var other = await fixture.Database.GetCollectionAsync("other");
        Assert.True(await other.WaitAsync());
        Assert.Equal((1, CollectionColor.Green), (await other.CountAsync(null), (await other.GetInfoAsync()).Color));
        var collection = await fixture.Database.GetCollectionAsync("alias");
        var info = await collection.GetInfoAsync();
        Assert.Equal((CollectionColor.Red, "c"), (info.Color, info.Name));
        Assert.Contains("Partition 1 cannot be opened", info.OptimizerError);
        Assert.All(info.Partitions, p => Assert.Equal(info.OptimizerError, p.Fault));
        foreach (var asked in new Func<Task>[]
        {
            () => collection.WriteAsync(new WriteBatch().Upsert(1, new float[8]), Batches.NoWait).AsTask(),
            () => collection.QueryAsync(new QueryRequest { Query = new NearestQuery(new DenseInput(new float[8])) }).AsTask(),
            () => collection.ScrollAsync(new ScrollRequest()).AsTask(),
            () => fixture.Database.UpdateCollectionAsync("c", c => c).AsTask(),
        })
        {
            var error = await Assert.ThrowsAsync<GranaryException>(asked);
            Assert.Equal((ErrorKind.Unavailable, info.OptimizerError), (error.Kind, error.Message));
        }

        // It may be dropped and made again.
        Assert.True(await fixture.Database.DeleteCollectionAsync("c"));
        await fixture.Database.CreateCollectionAsync("c", Fixture.Plain);
        await FillAsync(await fixture.Database.GetCollectionAsync("c"));
        Assert.Equal(before.Length, await (await fixture.Database.GetCollectionAsync("c")).CountAsync(null));
    }

    private static async Task<Fixture> CheckpointedAsync(CollectionConfig? config = null)
    {
        var fixture = await Fixture.CreateAsync(config);
        await FillAsync(fixture.Collection);
        return fixture;
    }

    /// <summary>30 points, checkpoints after 10, 20 and 30 of them, an operation each.</summary>
    private static async Task FillAsync(ICollection collection)
    {
        var random = new Random(2);
        for (ulong id = 0; id < Newer; id++)
        {
            await collection.WriteAsync(new WriteBatch().Upsert(id, Batches.Vector(random), $$"""{"text":"word {{id}}"}"""), Batches.Wait);
            if (id % 10 == 9)
                await collection.CheckpointAsync();
        }
    }

    private static async Task<PartitionKey> KeyAsync(IStorage storage) =>
        new(Assert.Single(await storage.ListIncarnationsAsync(default)), 0);

    private static async Task<PartitionStatus> PartitionAsync(ICollection collection) =>
        Assert.Single((await collection.GetInfoAsync()).Partitions);

    private static Task<string[]> DescribeAsync(Fixture fixture) => DescribeAsync(fixture.Collection);

    private static async Task<string[]> DescribeAsync(ICollection collection)
    {
        var page = await collection.ScrollAsync(new ScrollRequest { Limit = 1_000, WithVectors = new VectorSelector(true) });
        return [.. page.Points.Select(p => $"{p.Id} {string.Join(',', p.Vectors!.Value[0].Values)} @{p.Version}")];
    }

    /// <summary>The files of the newest checkpoint.</summary>
    private static string[] FilesOf(string folder) =>
    [
        .. Directory.GetFiles(
            Directory.GetDirectories(Assert.Single(Directory.GetDirectories(folder, "checkpoints", SearchOption.AllDirectories)))
                .Order(StringComparer.Ordinal).Last())
            .Order(StringComparer.Ordinal),
    ];

    private sealed class FileDatabase(string folder) : IAsyncDisposable
    {
        public Database Database { get; private set; } = null!;

        public async Task OpenAsync() =>
            Database = await Database.OpenAsync(await FileStorage.OpenAsync(folder), new DatabaseOptions(), default);

        public ValueTask DisposeAsync() => Database.CloseNowAsync();
    }
}
