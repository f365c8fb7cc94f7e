using Granary.Collections.Ports;
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
        await FillAsync(fixture);
        var before = await fixture.AllAsync();
        var key = new PartitionKey(Assert.Single(await fixture.Storage.ListIncarnationsAsync(default)), 0);
        // The last byte of the slots: as when their end never reached the disk.
        fixture.Storage.FlipByte(key, 30, "slots", fixture.Storage.SectionsOf(key, 30)["slots"] - 1);
        await fixture.KillAndRestartAsync();
        Assert.Equal(before.Select(p => (p.Id, p.Version)), (await fixture.AllAsync()).Select(p => (p.Id, p.Version)));
        var partition = Assert.Single((await fixture.Collection.GetInfoAsync()).Partitions);
        Assert.Equal(20, partition.Checkpointed);
        Assert.Contains("The checkpoint at operation 30 was refused", partition.RecoveryNote);
    }

    [Fact]
    public async Task ACheckpointThatCannotBePublishedLeavesTheEarlierOnesAndTheLogAlone()
    {
        await using var fixture = await Fixture.CreateAsync();
        await FillAsync(fixture);
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(99, new float[8]), Batches.Wait);
        fixture.Storage.Faults.FailPublishes();
        await Assert.ThrowsAsync<GranaryException>(() => fixture.Collection.CheckpointAsync().AsTask());
        await fixture.KillAndRestartAsync();
        Assert.Equal(31, await fixture.Collection.CountAsync(null));
        Assert.Equal(30, Assert.Single((await fixture.Collection.GetInfoAsync()).Partitions).Checkpointed);
    }

    /// <summary>30 points, with checkpoints after 10, 20 and 30.</summary>
    private static async Task FillAsync(Fixture fixture)
    {
        var random = new Random(2);
        for (ulong id = 0; id < 30; id++)
        {
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, Batches.Vector(random)), Batches.Wait);
            if (id % 10 == 9)
                await fixture.Collection.CheckpointAsync();
        }
    }
}
