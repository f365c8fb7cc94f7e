using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;

namespace Granary.Collections.Tests.Rules;

public sealed class ReplicasAgree
{
    [Theory]
    [InlineData(11, VectorStorage.Float32WithCodes)]
    [InlineData(12, VectorStorage.Float32WithCodes)]
    [InlineData(13, VectorStorage.Float32WithCodes)]
    [InlineData(14, VectorStorage.Int8)]
    [InlineData(15, VectorStorage.Int8)]
    public async Task TwoReplicasOfOneLogAnswerAlikeAndAsTheModelSays(int seed, VectorStorage storage)
    {
        // Cosine: a vector that is normalised twice may differ in its last bit, and so may its scores.
        var schema = Fixture.Plain.Schema with { Dense = [new DenseVectorSchema("", 8, Distance.Cosine) { Storage = storage }] };
        await using var changes = await LoggedChanges.OpenAsync(seed, schema);
        await using var one = await changes.FollowAsync();
        await using var rebuilt = await changes.FollowAsync(50);
        changes.BeginWriting(one.Feed);
        for (var round = 0; round < 5; round++)
        {
            await changes.WriteAsync(40);
            await one.CatchUpAsync(changes.Logged);
            // A replica that begins now, one that begins at the other's checkpoint, and one that was rebuilt.
            await using var late = await changes.FollowAsync(100 + round);
            await late.CatchUpAsync(changes.Logged);
            Assert.Equal(one.Describe(), late.Describe());
            if (round == 2)
                await one.Indexer.CheckpointAsync(default);
            await using var fromCheckpoint = await changes.FollowAsync();
            await fromCheckpoint.CatchUpAsync(changes.Logged);
            Assert.Equal(one.Describe(), fromCheckpoint.Describe());
            // Rebuilt in the middle of things, and applying what follows to what was rebuilt.
            await rebuilt.Indexer.RebuildAsync(default);
            await rebuilt.CatchUpAsync(changes.Logged);
            Assert.Equal(one.Describe(), rebuilt.Describe());
            await rebuilt.Indexer.RebuildAsync(default);
            Assert.Equal(one.Describe(), rebuilt.Describe());
            Assert.Equal(changes.Operations.Model.Keys.Select(k => k.ToString()), Ids(one.Describe()));
        }
    }

    [Fact]
    public async Task ApplyingIsIdempotent()
    {
        await using var changes = await LoggedChanges.OpenAsync(3);
        // One record comes twice in memory and once more from the log.
        var tail = new LogTail(1000);
        await using var replica = await changes.FollowAsync(0, tail);
        changes.BeginWriting(replica.Feed, tail);
        await changes.WriteAsync(50, record =>
        {
            tail.Add(record);
            replica.Feed.Ring(1, record.LastOperation);
        });

        await replica.CatchUpAsync(changes.Logged);
        await using var other = await changes.FollowAsync(1);
        await other.CatchUpAsync(changes.Logged);
        Assert.Equal(other.Describe(), replica.Describe());
    }

    private static IEnumerable<string> Ids(List<string> lines) =>
        lines.Where(l => char.IsDigit(l[0])).Select(l => l[..l.IndexOf(' ', StringComparison.Ordinal)]);
}
