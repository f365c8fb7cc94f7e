using Granary.Collections.Tests.Support;
using Granary.Index;

namespace Granary.Collections.Tests.Rules;

public sealed class ReadYourWrites
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task EveryReadSeesWhatWasAcknowledgedBeforeIt(int partitions)
    {
        await using var fixture = await Fixture.CreateAsync(Fixture.Plain with { Partitions = partitions });
        var random = new Random(1);
        for (ulong id = 1; id <= 200; id++)
        {
            var vector = Batches.Vector(random);
            // Not waited for: the acknowledgement is enough for a strong read.
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, vector, $$"""{"n":{{id}}}"""), Batches.NoWait);
            Assert.Equal((long)id, await fixture.Collection.CountAsync(null));
            var hits = await fixture.Collection.QueryAsync(new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(vector)),
                Filter = Batches.Has("n", (long)id),
                Limit = 1,
            });
            Assert.Equal(new PointId(id), Assert.Single(hits).Id);
        }
    }

    [Fact]
    public async Task AWaitedWriteIsSeenByReadsThatAreNotStrong()
    {
        await using var fixture = await Fixture.CreateAsync();
        var read = new ReadOptions { Strong = false };
        for (ulong id = 1; id <= 50; id++)
        {
            var result = await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, new float[8]), Batches.Wait);
            Assert.Equal(UpdateStatus.Completed, result.Status);
            Assert.Equal((long)id, result.OperationId);
            Assert.Equal((long)id, await fixture.Collection.CountAsync(null, read: read));
        }
    }

    [Fact]
    public async Task AReadMayNameTheOperationItMustSee()
    {
        await using var fixture = await Fixture.CreateAsync();
        for (ulong id = 1; id <= 50; id++)
        {
            var result = await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, new float[8]), Batches.NoWait);
            var read = new ReadOptions { Strong = false, MinOperation = result.OperationId };
            Assert.Equal((long)id, await fixture.Collection.CountAsync(null, read: read));
        }
    }
}
