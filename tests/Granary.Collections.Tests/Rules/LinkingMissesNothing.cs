using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class LinkingMissesNothing
{
    [Fact]
    public async Task WhatIsAppliedWhileTheLinkerGoesIdleIsLinked()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        var leaving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var goOn = new ManualResetEventSlim();
        var told = 0L;
        await using var replica = await Replica.OpenAsync(storage, log, key, Fixture.Plain.Schema, onLinked: operation =>
        {
            // The second time it is told of the same operation there was nothing left to link: it is about to go idle.
            if (Interlocked.Exchange(ref told, operation) != 1 || operation != 1)
                return;
            leaving.TrySetResult();
            goOn.Wait();
        });
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        await writer.AppendAsync(new WriteBatch().Upsert(1, new float[8]).Operations.Detach(), 1);
        await leaving.Task;
        await writer.AppendAsync(new WriteBatch().Upsert(2, new float[8]).Operations.Detach(), 1);
        await replica.CatchUpAsync(2);
        Assert.True(replica.Indexer.Lag > TimeSpan.Zero);
        goOn.Set();
        await replica.Indexer.Linked.WaitAsync(2, new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token);
        Assert.Equal(2, replica.Indexer.Linked.Value);
    }
}
