using Granary.Collections.Tests.Support;

namespace Granary.Collections.Tests.Rules;

public sealed class RebuildWhileServing
{
    [Fact]
    public async Task ARebuiltIndexHoldsWhatTheOldOneDidAndWhatWasWrittenMeanwhile()
    {
        await using var fixture = await Fixture.CreateAsync(Fixture.Plain with { Partitions = 2 });
        var operations = new RandomOperations(31, 200);
        for (var i = 0; i < 100; i++)
            await fixture.Collection.WriteAsync(operations.Next(20), Batches.NoWait);
        var rebuilding = fixture.Collection.RebuildAsync().AsTask();
        for (var i = 0; i < 50; i++)
        {
            await fixture.Collection.WriteAsync(operations.Next(20), Batches.NoWait);
            Assert.Equal(operations.Model.Count, await fixture.Collection.CountAsync(null));
        }

        await rebuilding;
        Assert.Equal(operations.Describe(), RandomOperations.Describe(await fixture.AllAsync()));
        await fixture.Collection.RebuildAsync();
        Assert.Equal(operations.Describe(), RandomOperations.Describe(await fixture.AllAsync()));
        await fixture.RestartAsync();
        Assert.Equal(operations.Describe(), RandomOperations.Describe(await fixture.AllAsync()));
    }
}
