using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Partitions;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;
using Microsoft.Extensions.AI;

namespace Granary.Collections.Tests.Cluster;

/// <summary>The design's rules on partitions whose parts are in different processes.</summary>
public sealed class ClusterRules
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task LogIsTruthAckIsDurableAndReplicasAgree(int seed)
    {
        await using var storage = new MemoryStorage();
        await using var partition = await TestPartition.StartAsync(storage, new TestPartitionOptions { BellSeed = seed });
        await using var aside = new MemoryStorage();
        await using var local = await LocalAsync(aside);
        var random = new Random(seed);
        var operations = new RandomOperations(seed);
        for (var round = 0; round < 4; round++)
        {
            long last = 0;
            for (var i = 0; i < 30; i++)
            {
                var batch = operations.Next();
                var count = batch.Operations.Count;
                var bytes = batch.Operations.Detach();
                if (random.Next(6) == 0)
                    LoseNextAnswer(partition);
                if (random.Next(8) == 0)
                    partition.Leader.Target = await partition.OpenLeaderAsync();
                last = await partition.Remote.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default);
                Assert.Equal(last, await local.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default));
            }

            // A replica is killed and opened anew, from a checkpoint where there is one.
            if (round > 0)
            {
                var victim = round % 2;
                await partition.Ports[victim].Target!.DisposeAsync();
                await partition.StartReplica(victim).WaitServingAsync(default);
            }

            Assert.True((await partition.Remote.WaitAsync(WaitTarget.Applied, 0, last, null, default)).Reached);
            await local.WaitAsync(WaitTarget.Applied, 0, last, null, default);
            var expected = await Described.AllAsync(local.Search);
            foreach (var port in partition.Ports)
                Assert.Equal(expected, await Described.AllAsync(partition.Reach(port).Search));
            Assert.Equal(
                operations.Model.Keys.Select(k => k.ToString()),
                expected.Where(l => l.Contains('@')).Select(l => l.Split(' ')[0]));
            await partition.Remote.CheckpointAsync(default);
        }
    }

    [Fact]
    public async Task AReplicaThatWasAwayWhileTheLogWasTruncatedTakesANewerCheckpoint()
    {
        await using var storage = new MemoryStorage();
        await using var partition = await TestPartition.StartAsync(storage);
        await WriteAsync(partition, 1);
        var held = new TaskCompletionSource();
        partition.Storages[1].Open = held.Task;
        var one = partition.Reach(partition.Ports[0]);
        for (ulong id = 2; id <= 9; id++)
        {
            await WriteAsync(partition, id);
            await one.CheckpointAsync(default);
        }

        await using var reader = await storage.OpenLogReaderAsync(partition.Key, default);
        Assert.InRange(reader.FirstOperation, 3, 9);
        held.SetResult();
        await partition.Ports[1].Target!.WaitServingAsync(default);
        Assert.Equal(
            await Described.AllAsync(one.Search), await Described.AllAsync(partition.Reach(partition.Ports[1]).Search));
    }

    [Fact]
    public async Task ReadYourWritesWithAReplicaThatIsPausedAndComesBack()
    {
        var time = new ManualTime();
        await using var storage = new MemoryStorage(time);
        await using var partition = await TestPartition.StartAsync(
            storage, new TestPartitionOptions { Time = time, Lease = ReplicaLeases.DefaultDuration });
        await WaitedAsync(partition, 1);
        var paused = partition.Reach(partition.Ports[1]);
        Assert.Equal(1, await Described.CountAsync(paused.Search));

        // It stands still: it reads no log, renews nothing, answers nothing.
        var (reads, renews, answers) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        partition.Storages[1].Open = reads.Task;
        partition.LeaseStores[1].Open = renews.Task;
        partition.Ports[1].Before = answers.Task.WaitAsync;
        var looks = partition.Holders.Looks;
        var write = WaitedAsync(partition, 2);
        // Both leases are known to run, and one of their holders has the operation.
        while (partition.Holders.Looks == looks)
            await Task.Yield();
        Assert.True((await partition.Ports[0].Target!.WaitAsync(WaitTarget.Applied, 2, 2, null, default)).Result.Reached);
        Assert.False(write.IsCompleted);

        // Only when its lease ran out does the write count as visible everywhere.
        while (!write.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await write;

        // It comes back, and stale: it may not serve, though it has not noticed anything yet.
        partition.Ports[1].Before = null;
        answers.SetResult();
        var stale = await Assert.ThrowsAsync<GranaryException>(() => Described.CountAsync(paused.Search).AsTask());
        Assert.Equal(ErrorKind.Unavailable, stale.Kind);
        Assert.Contains("lease", stale.Message, StringComparison.Ordinal);
        // Nor when it has a lease again, before it has what was logged meanwhile.
        renews.SetResult();
        await partition.Leases[1].RenewAsync(default);
        stale = await Assert.ThrowsAsync<GranaryException>(() => Described.CountAsync(paused.Search).AsTask());
        Assert.Contains("catching up", stale.Message, StringComparison.Ordinal);
        reads.SetResult();
        await partition.Ports[1].Target!.WaitServingAsync(default);
        Assert.Equal(2, await Described.CountAsync(paused.Search));
        // The other one served all the time.
        await partition.Leases[0].RenewAsync(default);
        Assert.Equal(2, await Described.CountAsync(partition.Remote.Search));
    }

    [Fact]
    public async Task AWaitedWriteIsSeenOnEveryReplicaWithoutAnyBell()
    {
        await using var storage = new MemoryStorage();
        await using var partition = await TestPartition.StartAsync(storage, new TestPartitionOptions { Replicas = 3 });
        // A leader whose bells nobody hears.
        await using var mute = await PartitionLeader.OpenAsync(
            storage, partition.Key, new IngestionSettings(), new MuteFeed(), new PhaseTimings(), TimeProvider.System, default);
        partition.Leader.Target = mute;
        for (ulong id = 1; id <= 20; id++)
        {
            await WaitedAsync(partition, id);
            foreach (var port in partition.Ports)
                Assert.Equal((long)id, await Described.CountAsync(partition.Reach(port).Search));
        }
    }

    [Fact]
    public async Task AStrongReadAndOneThatNamesItsOperationSeeWhatWasAcknowledged()
    {
        await using var storage = new MemoryStorage();
        await using var partition = await TestPartition.StartAsync(storage);
        await using var mute = await PartitionLeader.OpenAsync(
            storage, partition.Key, new IngestionSettings(), new MuteFeed(), new PhaseTimings(), TimeProvider.System, default);
        partition.Leader.Target = mute;
        for (ulong id = 1; id <= 20; id++)
        {
            var last = await WriteAsync(partition, id);
            var port = partition.Reach(partition.Ports[(int)id % 2]);
            var read = id % 3 == 0 ? new ReadOptions { Strong = true } : new ReadOptions { Strong = false, MinOperation = last };
            Assert.Equal((long)id, await Described.CountAsync(port.Search, read));
        }

        // A number from another partition, beyond this log: what there is.
        Assert.Equal(20, await Described.CountAsync(partition.Remote.Search, new ReadOptions { Strong = false, MinOperation = 1_000 }));
    }

    [Fact]
    public async Task AReadThatCannotSeeItsOperationInTimeSaysSo()
    {
        var time = new ManualTime();
        await using var storage = new MemoryStorage();
        await using var partition = await TestPartition.StartAsync(storage);
        foreach (var held in partition.Storages)
            held.Open = new TaskCompletionSource().Task;
        var last = await WriteAsync(partition, 1);
        var remote = new RemotePartition(partition.Key, partition.Leader, partition.Ports, storage.Leases, new(), time);
        var count = Described.CountAsync(
            remote.Search, new ReadOptions { Strong = false, MinOperation = last, Timeout = TimeSpan.FromHours(1) }).AsTask();
        while (!count.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(10));
            await Task.Yield();
        }

        var error = await Assert.ThrowsAsync<GranaryException>(() => count);
        Assert.Equal(ErrorKind.Timeout, error.Kind);
        foreach (var held in partition.Storages)
            held.Open = Task.CompletedTask;
    }

    [Fact]
    public async Task TextsAreEmbeddedByOneReplicaAndSeenOnAll()
    {
        var config = Fixture.Plain with { Embeddings = [new EmbeddingRule("", "text")], Partitions = 2 };
        var options = new DatabaseOptions
        {
            Generators = new Dictionary<string, IEmbeddingGenerator<string, Embedding<float>>>
            {
                ["stub"] = new StubGenerator(),
            },
            DefaultModel = "stub",
        };
        using var embedder = new TextEmbedder(options);
        var storage = new MemoryStorage();
        var cluster = new TestCluster(storage, new TestPartitionOptions { Embedder = embedder });
        await using var fixture = await Fixture.CreateAsync(config, options, storage, cluster);
        for (ulong id = 1; id <= 12; id++)
        {
            var written = await fixture.Collection.WriteAsync(
                new WriteBatch().Upsert(id, null, $$"""{"text":"{{new string('a', (int)id)}}"}"""), Batches.Wait);
            Assert.Equal(UpdateStatus.Completed, written.Status);
            // One replica moves in between: its texts are found again.
            if (id == 6)
            {
                foreach (var partition in cluster.Partitions)
                {
                    await partition.Ports[0].Target!.DisposeAsync();
                    partition.StartReplica(0);
                }
            }
        }

        foreach (var replica in new[] { 0, 1 })
        {
            var found = 0;
            foreach (var partition in cluster.Partitions)
            {
                var lines = await Described.AllAsync(partition.Reach(partition.Ports[replica]).Search);
                found += lines.Count(l => l.Contains("=[", StringComparison.Ordinal));
            }

            Assert.Equal(12, found);
        }
    }

    private static async Task<LocalPartition> LocalAsync(MemoryStorage storage)
    {
        var config = Fixture.Plain;
        using var embedder = new TextEmbedder(new DatabaseOptions());
        var embedding = new EmbeddingPipeline(config, embedder, new PhaseTimings().Embed, TimeProvider.System);
        return await LocalPartition.OpenAsync(
            storage, new Collections.Ports.PartitionKey(Guid.NewGuid(), 0), config.Schema, config.Ingestion, new PhaseTimings(), embedding,
            TimeProvider.System, default);
    }

    private static void LoseNextAnswer(TestPartition partition) => partition.Leader.After = () =>
    {
        partition.Leader.After = null;
        throw new IOException("The answer was lost.");
    };

    private static ValueTask<long> WriteAsync(TestPartition partition, ulong id)
    {
        var (bytes, count) = Described.Upserts(id);
        return partition.Remote.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default);
    }

    private static async Task WaitedAsync(TestPartition partition, ulong id)
    {
        var last = await WriteAsync(partition, id);
        var waited = await partition.Remote.WaitAsync(WaitTarget.Applied, last, last, null, default);
        Assert.True(waited.Reached);
    }

    private sealed class MuteFeed : Collections.Ports.IFeed
    {
        public void Ring(long firstOperation, long lastOperation)
        {
        }
    }
}
