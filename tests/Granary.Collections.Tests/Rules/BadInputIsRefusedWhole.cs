using Granary.Collections.Tests.Support;
using Granary.Index;

namespace Granary.Collections.Tests.Rules;

public sealed class BadInputIsRefusedWhole
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task OneBadPointChangesNothingAndIsNamed(int partitions)
    {
        await using var fixture = await Fixture.CreateAsync(Fixture.Plain with { Partitions = partitions });
        var random = new Random(1);
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, Batches.Vector(random), """{"a":1}"""), Batches.Wait);
        var before = await fixture.AllAsync();
        var batch = new WriteBatch();
        for (ulong id = 0; id < 50; id++)
            batch.Upsert(id, id == 37 ? new float[7] : Batches.Vector(random));
        var error = await Assert.ThrowsAsync<GranaryException>(() => fixture.Collection.WriteAsync(batch, Batches.Wait).AsTask());
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        Assert.Contains("expected dim: 8, got 7", error.Message);
        Assert.Contains("point 37", error.Message);
        var after = await fixture.AllAsync();
        Assert.Equal(before.Select(p => (p.Id, p.Version)), after.Select(p => (p.Id, p.Version)));
        Assert.All((await fixture.Collection.GetInfoAsync()).Partitions, p => Assert.True(p.Logged <= 1));
    }

    [Fact]
    public async Task AnEmptyBatchIsNothingToDo()
    {
        await using var fixture = await Fixture.CreateAsync();
        Assert.Equal(new UpdateResult(null, UpdateStatus.Completed), await fixture.Collection.WriteAsync(new WriteBatch(), Batches.Wait));
    }

    [Fact]
    public async Task OfTwoOperationsOnOnePointTheLaterWins()
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Collection.WriteAsync(
            new WriteBatch().Upsert(1, new float[8], """{"v":1}""").Upsert(1, new float[8], """{"v":2}"""), Batches.Wait);
        var point = Assert.Single(await fixture.Collection.RetrieveAsync([new PointId(1)], PayloadSelector.All, VectorSelector.None));
        Assert.Equal("""{"v":2}""", System.Text.Encoding.UTF8.GetString(point.Payload!.Value.Span));
    }
}
