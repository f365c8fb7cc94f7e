using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class AckIsDurable
{
    [Fact]
    public async Task WhatWasAcknowledgedIsThereAfterAKillAndWhatWasRefusedIsNot()
    {
        await using var fixture = await Fixture.CreateAsync();
        var random = new Random(1);
        var acknowledged = new HashSet<ulong>();
        for (var round = 0; round < 5; round++)
        {
            for (ulong i = 0; i < 100; i++)
            {
                var id = ((ulong)round * 100) + i;
                if (random.Next(5) == 0)
                    fixture.Storage.Faults.FailAppends((AppendFault)random.Next(1, 4));
                try
                {
                    await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, Batches.Vector(random)), Batches.NoWait);
                    acknowledged.Add(id);
                }
                catch (GranaryException)
                {
                    // Refused: it must not be there.
                }
            }

            if (round % 2 == 1)
                await fixture.Collection.CheckpointAsync();
            await fixture.KillAndRestartAsync();
            Assert.Equal(acknowledged.Order().Select(id => new PointId(id)), (await fixture.AllAsync()).Select(p => p.Id));
        }
    }

    [Fact]
    public async Task ATornCheckpointIsRefusedAndTheOneBeforeIsUsed()
    {
        await using var fixture = await Fixture.CreateAsync();
        var random = new Random(2);
        for (ulong id = 0; id < 30; id++)
        {
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, Batches.Vector(random)), Batches.Wait);
            if (id % 10 == 9)
                await fixture.Collection.CheckpointAsync();
        }

        var before = await fixture.AllAsync();
        await fixture.KillAndRestartAsync(f => f.FailPublishes());
        Assert.Equal(before.Select(p => (p.Id, p.Version)), (await fixture.AllAsync()).Select(p => (p.Id, p.Version)));
        // A checkpoint that cannot be published leaves the earlier ones and the log alone.
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(99, Batches.Vector(random)), Batches.Wait);
        await Assert.ThrowsAsync<GranaryException>(() => fixture.Collection.CheckpointAsync().AsTask());
        await fixture.KillAndRestartAsync();
        Assert.Equal(31, await fixture.Collection.CountAsync(null));
    }
}
