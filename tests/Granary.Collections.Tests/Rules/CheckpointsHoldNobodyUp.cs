using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Search;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class CheckpointsHoldNobodyUp : IAsyncDisposable
{
    private static readonly PartitionKey Key = new(Guid.NewGuid(), 0);
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(1));
    private readonly MemoryStorage _storage = new();
    private IPartitionLog _log = null!;
    private WrappedCheckpoints _checkpoints = null!;

    [Fact]
    public async Task ApplyingAndStrongSearchesGoOnWhileACheckpointIsPublished()
    {
        await using var replica = await OpenAsync(new IngestionSettings { CheckpointOperations = 10, BatchDelay = TimeSpan.Zero });
        await using var writer = new PartitionWriter(Key, _log, replica.Feed, null, new PhaseTimings());
        var publishing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _checkpoints.Publishing = () =>
        {
            publishing.TrySetResult();
            return held.Task;
        };
        await WriteAsync(writer, 1, 10);
        await publishing.Task.WaitAsync(_limit.Token);

        await WriteAsync(writer, 11, 40);
        var search = new LocalPartitionSearch(replica.Indexer, () => writer.Logged, TimeProvider.System);
        var answer = await search.SearchAsync(new PartitionRequest([new ScanLeg { Limit = 100 }], new ReadOptions()), _limit.Token);
        Assert.Equal(40, answer.Legs[0].Hits.Count);
        await replica.Indexer.Linked.WaitAsync(40, _limit.Token);
        Assert.Equal(0, replica.Indexer.Checkpointed);

        held.SetResult();
        await replica.Indexer.CheckpointAsync(_limit.Token);
        Assert.Equal(40, replica.Indexer.Checkpointed);
        await using var other = await ReopenAsync();
        Assert.Equal(replica.Describe(), other.Describe());
    }

    [Theory]
    [InlineData("field-0", false)]
    [InlineData("slots", true)]
    public async Task ApplyingGoesOnWhileAnImageIsWrittenAndLinkingOnceItsGraphsAre(string section, bool linked)
    {
        await using var replica = await OpenAsync(new IngestionSettings { CheckpointOperations = 10, BatchDelay = TimeSpan.Zero });
        await using var writer = new PartitionWriter(Key, _log, replica.Feed, null, new PhaseTimings());
        var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var held = new ManualResetEventSlim();
        _checkpoints.Creating = name =>
        {
            if (name != section)
                return;
            writing.TrySetResult();
            held.Wait(_limit.Token);
        };
        await WriteAsync(writer, 1, 10);
        await writing.Task.WaitAsync(_limit.Token);

        // Some are new, some are other versions of what the image holds.
        await WriteAsync(writer, 5, 40);
        var search = new LocalPartitionSearch(replica.Indexer, () => writer.Logged, TimeProvider.System);
        var answer = await search.SearchAsync(new PartitionRequest([new ScanLeg { Limit = 100 }], new ReadOptions()), _limit.Token);
        Assert.Equal(40, answer.Legs[0].Hits.Count);
        if (linked)
            await replica.Indexer.Linked.WaitAsync(writer.Logged, _limit.Token);

        _checkpoints.Creating = null;
        held.Set();
        while (replica.Indexer.Checkpointed == 0)
            await Task.Yield();
        Assert.InRange(replica.Indexer.Checkpointed, 10, writer.Logged - 1);
        await replica.Indexer.Linked.WaitAsync(writer.Logged, _limit.Token);
        await using var other = await ReopenAsync();
        await other.CatchUpAsync(writer.Logged);
        Assert.Equal(replica.Describe(), other.Describe());
    }

    [Fact]
    public async Task ALargeIndexIsWrittenMoreSeldomThanASmallOne()
    {
        await using var replica = await OpenAsync(new IngestionSettings
        {
            CheckpointOperations = 1,
            CheckpointLogBytes = 1,
            BatchDelay = TimeSpan.Zero,
        });
        await using var writer = new PartitionWriter(Key, _log, replica.Feed, null, new PhaseTimings());
        var published = 0;
        _checkpoints.Publishing = () =>
        {
            Interlocked.Increment(ref published);
            return Task.CompletedTask;
        };
        for (ulong id = 1; id <= 1_000; id++)
        {
            await WriteAsync(writer, id, id);
            await replica.Indexer.Applied.WaitAsync((long)id, _limit.Token);
        }

        await replica.Indexer.CheckpointAsync(_limit.Token);
        Assert.InRange(published, 2, 150);
    }

    [Fact]
    public async Task AnImageThatDoesNotReadBackTakesNoOlderOnesPlace()
    {
        await using var replica = await OpenAsync(new IngestionSettings { BatchDelay = TimeSpan.Zero });
        await using var writer = new PartitionWriter(Key, _log, replica.Feed, null, new PhaseTimings());
        for (ulong id = 1; id <= 2; id++)
        {
            await WriteAsync(writer, id, id);
            await replica.CatchUpAsync(writer.Logged);
            await replica.Indexer.CheckpointAsync(_limit.Token);
        }

        await WriteAsync(writer, 3, 3);
        await replica.CatchUpAsync(writer.Logged);
        _checkpoints.Damaged = "slots";
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await replica.Indexer.CheckpointAsync(_limit.Token));
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
        Assert.Equal([2L, 1], (await _checkpoints.ListAsync(default)).Select(c => c.Operation));
        Assert.Equal(2, replica.Indexer.Checkpointed);
        _checkpoints.Damaged = null;
        await replica.Indexer.CheckpointAsync(_limit.Token);
        Assert.Equal([3L, 2], (await _checkpoints.ListAsync(default)).Select(c => c.Operation));
        Assert.Equal(0, _checkpoints.OpenHandles);
    }

    [Fact]
    public async Task ClosingWaitsForACheckpointUnderWay()
    {
        var replica = await OpenAsync(new IngestionSettings { BatchDelay = TimeSpan.Zero });
        await using var writer = new PartitionWriter(Key, _log, replica.Feed, null, new PhaseTimings());
        await WriteAsync(writer, 1, 1);
        await replica.CatchUpAsync(1);
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var publishing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _checkpoints.Publishing = () =>
        {
            publishing.TrySetResult();
            return held.Task;
        };
        var checkpoint = replica.Indexer.CheckpointAsync(_limit.Token).AsTask();
        await publishing.Task.WaitAsync(_limit.Token);
        var closing = replica.Indexer.DisposeAsync().AsTask();
        Assert.False(closing.IsCompleted);
        held.SetResult();
        await closing.WaitAsync(_limit.Token);
        // It was published, or given up: never left under way.
        Assert.True(checkpoint.IsCompleted || await Task.WhenAny(checkpoint).WaitAsync(_limit.Token) == checkpoint);
        await replica.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _limit.Dispose();
        await _storage.DisposeAsync();
    }

    private async Task<Replica> OpenAsync(IngestionSettings ingestion)
    {
        _log = await _storage.OpenLogAsync(Key, default);
        return await Replica.OpenAsync(
            _storage, _log, Key, Fixture.Plain.Schema, ingestion: ingestion, wrap: store => _checkpoints = new WrappedCheckpoints(store));
    }

    private Task<Replica> ReopenAsync() => Replica.OpenAsync(_storage, _log, Key, Fixture.Plain.Schema);

    private static async Task WriteAsync(PartitionWriter writer, ulong first, ulong last)
    {
        for (var id = first; id <= last; id++)
            await writer.AppendAsync(new WriteBatch().Upsert(id, [id, 1, 0, 0, 0, 0, 0, 1]).Operations.Detach(), 1);
    }
}
