using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;

namespace Granary.Collections.Tests.Writing;

public sealed class AdmissionGateTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void AdmitsUpToItsCapacityAtOnce()
    {
        var gate = new AdmissionGate(10, 0, 0, _time);
        Assert.True(gate.EnterAsync(4, TimeSpan.FromSeconds(1), default).IsCompletedSuccessfully);
        Assert.True(gate.EnterAsync(6, TimeSpan.FromSeconds(1), default).IsCompletedSuccessfully);
        Assert.False(gate.EnterAsync(1, TimeSpan.FromSeconds(1), default).IsCompleted);
        Assert.Equal(10, gate.Depth);
    }

    [Fact]
    public async Task AWriterThatWaitsIsLetInWhenOperationsAreLinked()
    {
        var gate = new AdmissionGate(10, 0, 0, _time);
        await gate.EnterAsync(10, TimeSpan.Zero, default);
        var first = gate.EnterAsync(3, TimeSpan.FromSeconds(1), default).AsTask();
        var second = gate.EnterAsync(1, TimeSpan.FromSeconds(1), default).AsTask();
        gate.OnLinked(2);
        // First come first served: the small one does not overtake.
        Assert.False(first.IsCompleted);
        Assert.False(second.IsCompleted);
        gate.OnLinked(4);
        await first;
        await second;
        Assert.Equal(10, gate.Depth);
    }

    [Fact]
    public async Task ARefusalSaysSoAndWhenToTryAgain()
    {
        var gate = new AdmissionGate(10, 0, 0, _time);
        await gate.EnterAsync(10, TimeSpan.Zero, default);
        var waiting = gate.EnterAsync(1, TimeSpan.FromSeconds(5), default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(5));
        var error = await Assert.ThrowsAsync<GranaryException>(() => waiting);
        Assert.Equal(ErrorKind.TooManyRequests, error.Kind);
        Assert.True(error.RetryAfter > TimeSpan.Zero);
        Assert.Contains("10 operations of at most 10", error.Message);
        Assert.Equal(10, gate.Depth);
    }

    [Fact]
    public async Task ABatchLargerThanTheCapacityIsAdmittedWhenTheQueueIsEmpty()
    {
        var gate = new AdmissionGate(10, 0, 0, _time);
        await gate.EnterAsync(1, TimeSpan.Zero, default);
        var large = gate.EnterAsync(25, TimeSpan.FromSeconds(1), default).AsTask();
        Assert.False(large.IsCompleted);
        gate.OnLinked(1);
        await large;
        Assert.Equal(25, gate.Depth);
    }

    [Fact]
    public async Task ACallerWhoLeavesTakesNoRoom()
    {
        var gate = new AdmissionGate(10, 0, 0, _time);
        await gate.EnterAsync(10, TimeSpan.Zero, default);
        using var gone = new CancellationTokenSource();
        var leaving = gate.EnterAsync(5, TimeSpan.FromSeconds(1), gone.Token).AsTask();
        var staying = gate.EnterAsync(1, TimeSpan.FromSeconds(1), default).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        gate.OnLinked(1);
        await staying;
        Assert.Equal(10, gate.Depth);
    }

    [Fact]
    public async Task AFailedAppendGivesItsRoomBack()
    {
        var gate = new AdmissionGate(10, 0, 0, _time);
        await gate.EnterAsync(10, TimeSpan.Zero, default);
        var waiting = gate.EnterAsync(10, TimeSpan.FromSeconds(1), default).AsTask();
        gate.Cancel(10);
        await waiting;
    }

    [Fact]
    public async Task AStoppedPartitionRefusesWhoWaitsAndWhoComes()
    {
        var gate = new AdmissionGate(1, 0, 0, _time);
        await gate.EnterAsync(1, TimeSpan.Zero, default);
        var waiting = gate.EnterAsync(1, TimeSpan.FromSeconds(1), default).AsTask();
        gate.Fail(new GranaryException(ErrorKind.Unavailable, "stopped"));
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<GranaryException>(() => waiting)).Kind);
        await Assert.ThrowsAsync<GranaryException>(() => gate.EnterAsync(1, TimeSpan.FromSeconds(1), default).AsTask());
    }
}
