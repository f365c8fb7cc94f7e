using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class PoisonIsIsolated
{
    [Fact]
    public async Task OperationsThatCannotBeAppliedAreReportedAndTheOthersGoOn()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        await using var replica = await Replica.OpenAsync(storage, log, key, Fixture.Plain.Schema);
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        for (ulong id = 1; id <= 10; id++)
        {
            // Past the validation, as a bug or a newer version might have written it.
            var batch = new WriteBatch().Upsert(id, new float[id % 3 == 0 ? 5 : 8]);
            await writer.AppendAsync(batch.Operations.Detach(), 1);
        }

        // A record whose bytes make no sense, and one that holds less than it says.
        await writer.AppendAsync(new byte[] { 1, 0, 0, 0, 9, 7, 7 }, 2);
        await writer.AppendAsync(new WriteBatch().Upsert(11, new float[8]).Operations.Detach(), 3);
        await writer.AppendAsync(new WriteBatch().Upsert(12, new float[8]).Operations.Detach(), 1);
        await replica.CatchUpAsync(writer.Logged);
        Assert.Equal(16, replica.Indexer.Applied.Value);
        Assert.Equal(3 + 2 + 2, replica.Indexer.Failed);
        Assert.Equal([3L, 6, 9, 11, 12, 14, 15], replica.Indexer.Failures.Select(f => f.Operation));
        Assert.Equal("3", replica.Indexer.Failures.First().Point);
        Assert.All(replica.Indexer.Failures, f => Assert.NotEmpty(f.Reason));
        using var lease = replica.Indexer.OpenReader();
        Assert.True(lease.Reader.Contains(new PointId(12)));
        Assert.Equal(9, lease.Reader.Count(null, true));
        Assert.Null(replica.Indexer.Fault);
    }

    [Fact]
    public async Task AnUnreadableLogStopsThePartitionAndSaysSo()
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, new float[8]), Batches.Wait);
        var stopped = new UnreadableLog();
        await using var replica =
            await Replica.OpenAsync(fixture.Storage, stopped, new PartitionKey(Guid.NewGuid(), 3), Fixture.Plain.Schema);
        var error = await Assert.ThrowsAsync<GranaryException>(() => replica.CatchUpAsync(1));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains("Partition 3 is unavailable", error.Message);
        Assert.Contains("disk is gone", error.Message);
        Assert.Throws<GranaryException>(() => replica.Indexer.OpenReader());
    }

    [Fact]
    public async Task AWriterWhoWaitsIsToldThatAnOperationCouldNotBeApplied()
    {
        var config = Fixture.Plain with
        {
            Schema = Fixture.Plain.Schema with { Dense = [.. Fixture.Plain.Schema.Dense, new DenseVectorSchema("old", 2, Distance.Dot)] },
        };
        await using var fixture = await Fixture.CreateAsync(config);
        var (held, reached) = (new TaskCompletionSource(), new TaskCompletionSource());
        fixture.Storage.Faults.AppendGate = _ =>
        {
            reached.TrySetResult();
            return held.Task;
        };
        // The vector goes while a write that was checked with it is on its way.
        var change = fixture.Database.UpdateCollectionAsync(
            "c", c => c with { Schema = c.Schema with { Dense = [.. c.Schema.Dense.Where(d => d.Name != "old")] } }).AsTask();
        await reached.Task;
        var before = fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, [1, 2], name: "old"), Batches.Wait).AsTask();
        var other = fixture.Collection.WriteAsync(new WriteBatch().Upsert(2, new float[8]), Batches.Wait).AsTask();
        held.SetResult();
        await change;
        var error = await Assert.ThrowsAsync<GranaryException>(() => before);
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        Assert.Contains("old", error.Message);
        Assert.Contains("point 1", error.Message);
        Assert.Equal(UpdateStatus.Completed, (await other).Status);
        Assert.Equal(1, await fixture.Collection.CountAsync(null));
    }

    private sealed class UnreadableLog : IPartitionLog
    {
        public long NextOperation => 2;

        public long FirstOperation => 1;

        public string? RecoveryNote => null;

        public long SizeInBytes => 0;

        public ValueTask AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken cancellation) => ValueTask.CompletedTask;

        public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation) =>
            throw new IOException("the disk is gone");

        public ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
