using Granary.Collections.Diagnostics;
using Granary.Collections.Feeds;
using Granary.Collections.Ports;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Operations;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Writing;

public sealed class PartitionWriterTests : IAsyncDisposable
{
    private readonly MemoryStorage _storage = new();
    private readonly PartitionKey _key = new(Guid.NewGuid(), 0);
    private readonly InProcessFeed _feed = new(TimeProvider.System);
    private readonly LogTail _tail = new(1000);

    [Fact]
    public async Task NumbersOperationsOneAfterAnother()
    {
        await using var writer = await OpenAsync();
        Assert.Equal(1, await writer.AppendAsync(Operations(1), 1));
        Assert.Equal(4, await writer.AppendAsync(Operations(3), 3));
        Assert.Equal(4, writer.Logged);
        Assert.Equal(4, await _feed.WaitAsync(Timeout.InfiniteTimeSpan, default));
        Assert.True(_tail.TryTake(1, out var first, out _));
        Assert.Equal(1, first.Value.LastOperation);
        Assert.True(_tail.TryTake(2, out var second, out _));
        Assert.Equal(4, second.Value.LastOperation);
    }

    [Fact]
    public async Task BatchesThatWaitShareOneAppend()
    {
        var held = new TaskCompletionSource();
        var appends = 0;
        _storage.Faults.AppendGate = _ => Interlocked.Increment(ref appends) == 1 ? held.Task : Task.CompletedTask;
        await using var writer = await OpenAsync();
        var calls = Enumerable.Range(0, 100).Select(_ => writer.AppendAsync(Operations(1), 1).AsTask()).ToList();
        Assert.DoesNotContain(calls, c => c.IsCompleted);
        held.SetResult();
        var numbers = await Task.WhenAll(calls);
        Assert.Equal(Enumerable.Range(1, 100).Select(n => (long)n), numbers);
        Assert.Equal(2, appends);
    }

    [Fact]
    public async Task AFailedAppendIsToldToThoseWhoWaitAndTheNextOneGoesOn()
    {
        await using var writer = await OpenAsync();
        await writer.AppendAsync(Operations(1), 1);
        _storage.Faults.FailAppends(AppendFault.DiskFull);
        var error = await Assert.ThrowsAsync<GranaryException>(() => writer.AppendAsync(Operations(2), 2).AsTask());
        Assert.Equal(ErrorKind.InsufficientStorage, error.Kind);
        Assert.Equal(2, await writer.AppendAsync(Operations(1), 1));
    }

    [Fact]
    public async Task AnAppendWhoseAnswerWasLostCountsOnce()
    {
        await using var writer = await OpenAsync();
        _storage.Faults.FailAppends(AppendFault.AfterEffect);
        Assert.Equal(2, await writer.AppendAsync(Operations(2), 2));
        Assert.Equal(3, await writer.AppendAsync(Operations(1), 1));
    }

    [Fact]
    public async Task AWriterThatWasReplacedIsUnavailable()
    {
        await using var old = await OpenAsync();
        await old.AppendAsync(Operations(1), 1);
        var log = await _storage.OpenLogAsync(_key, default);
        await using var newer = new PartitionWriter(_key, log, _feed, null, new PhaseTimings());
        for (var i = 0; i < 2; i++)
        {
            var error = await Assert.ThrowsAsync<GranaryException>(() => old.AppendAsync(Operations(1), 1).AsTask());
            Assert.Equal(ErrorKind.Unavailable, error.Kind);
            Assert.Contains("Partition 0 is unavailable", error.Message);
        }

        Assert.Equal(2, await newer.AppendAsync(Operations(1), 1));
    }

    [Fact]
    public async Task ClosingServesWhoCameBefore()
    {
        var held = new TaskCompletionSource();
        _storage.Faults.AppendGate = _ => held.Task;
        var writer = await OpenAsync();
        var calls = Enumerable.Range(0, 5).Select(_ => writer.AppendAsync(Operations(1), 1).AsTask()).ToList();
        var closing = writer.DisposeAsync().AsTask();
        held.SetResult();
        await closing;
        var numbers = await Task.WhenAll(calls);
        Assert.Equal([1L, 2, 3, 4, 5], numbers);
        await Assert.ThrowsAsync<GranaryException>(() => writer.AppendAsync(Operations(1), 1).AsTask());
    }

    [Fact]
    public async Task AnAppendThatFoundTheWriterOpenFailsWhenItIsClosedMeanwhile()
    {
        var writer = await OpenAsync();
        await writer.DisposeAsync();
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => writer.EnqueueAsync(Operations(1), 1).AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
    }

    public ValueTask DisposeAsync()
    {
        _feed.Dispose();
        return _storage.DisposeAsync();
    }

    private async Task<PartitionWriter> OpenAsync() =>
        new(_key, await _storage.OpenLogAsync(_key, default), _feed, _tail, new PhaseTimings());

    private static ReadOnlyMemory<byte> Operations(int count)
    {
        var writer = new OperationWriter();
        for (var i = 0; i < count; i++)
        {
            writer.Begin(OperationKind.Delete, new PointId((ulong)i));
            writer.End();
        }

        return writer.Detach();
    }
}
