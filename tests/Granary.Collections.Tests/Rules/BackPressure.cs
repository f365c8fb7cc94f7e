using Granary.Collections.Tests.Support;
using Granary.Index;

namespace Granary.Collections.Tests.Rules;

public sealed class BackPressure
{
    [Fact]
    public async Task AFullQueueHoldsWritersThenRefusesThemAndLosesNothing()
    {
        var time = new ManualTime();
        var config = Fixture.Plain with
        {
            Ingestion = new IngestionSettings
            {
                QueueCapacity = 100,
                BatchSize = 1_000_000,
                BatchDelay = TimeSpan.FromDays(1),
                AdmissionTimeout = TimeSpan.FromSeconds(10),
            },
        };
        await using var fixture = await Fixture.CreateAsync(config, new DatabaseOptions { Time = time });
        var random = new Random(1);
        for (ulong id = 0; id < 100; id++)
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, Batches.Vector(random)), Batches.NoWait);
        var refused = fixture.Collection.WriteAsync(new WriteBatch().Upsert(100, new float[8]), Batches.NoWait).AsTask();
        Assert.False(refused.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(10));
        var error = await Assert.ThrowsAsync<GranaryException>(() => refused);
        Assert.Equal(ErrorKind.TooManyRequests, error.Kind);
        Assert.NotNull(error.RetryAfter);

        var held = fixture.Collection.WriteAsync(new WriteBatch().Upsert(101, new float[8]), Batches.NoWait).AsTask();
        Assert.False(held.IsCompleted);
        // Waiting for the graph hastens the batch; then there is room.
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(101, (await held).OperationId);
        Assert.Equal(101, await fixture.Collection.CountAsync(null));
    }

    [Fact]
    public async Task TheQueueNeverExceedsItsCapacity()
    {
        var config = Fixture.Plain with { Ingestion = new IngestionSettings { QueueCapacity = 50, BatchDelay = TimeSpan.Zero } };
        await using var fixture = await Fixture.CreateAsync(config);
        var writers = Enumerable.Range(0, 8).Select(async w =>
        {
            var random = new Random(w);
            for (ulong i = 0; i < 200; i++)
            {
                await fixture.Collection.WriteAsync(new WriteBatch().Upsert(((ulong)w * 1000) + i, Batches.Vector(random)), Batches.NoWait);
                Assert.True((await fixture.Collection.GetInfoAsync()).Partitions[0].Depth <= 50);
            }
        });
        await Task.WhenAll(writers);
        Assert.Equal(1600, await fixture.Collection.CountAsync(null));
    }
}
