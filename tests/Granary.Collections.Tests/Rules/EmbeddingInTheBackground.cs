using System.Text;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Index.Operations;
using Microsoft.Extensions.AI;

namespace Granary.Collections.Tests.Rules;

public sealed class EmbeddingInTheBackground
{
    private static readonly CollectionConfig Config = Fixture.Plain with { Embeddings = [new EmbeddingRule("", "text")] };

    [Fact]
    public async Task AWaitedWriteIncludesTheEmbeddingAndAQueryMayBeText()
    {
        var generator = new StubGenerator();
        await using var fixture = await CreateAsync(generator);
        await fixture.Collection.WriteAsync(
            new WriteBatch().Upsert(1, null, """{"text":"some words"}""").Upsert(2, null, """{"text":"unknown"}""")
                .Upsert(3, [1, 2, 3, 4, 5, 6, 7, 8], """{"text":"own vector"}"""),
            Batches.Wait);
        var points = await fixture.AllAsync();
        Assert.Equal(StubGenerator.Of("some words"), VectorOf(points[0]));
        Assert.Null(VectorOf(points[1]));
        Assert.Equal([1f, 2, 3, 4, 5, 6, 7, 8], VectorOf(points[2])!);
        var byText = await fixture.Collection.QueryAsync(new QueryRequest
        {
            Query = new NearestQuery(new TextInput("some words")),
            Limit = 5,
        });
        Assert.Equal([new PointId(1), new PointId(3)], byText.Select(h => h.Id).Order());
        Assert.Empty(await fixture.Collection.QueryAsync(new QueryRequest { Query = new NearestQuery(new TextInput("unknown")) }));
        Assert.Equal(2UL, Assert.Single(await SearchTextAsync(fixture, "unknown")).Id.Number);
    }

    [Fact]
    public async Task ATextIsSearchableBeforeItIsEmbedded()
    {
        var held = new TaskCompletionSource();
        var generator = new StubGenerator { Before = _ => held.Task };
        await using var fixture = await CreateAsync(generator);
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, null, """{"text":"waiting words"}"""), Batches.NoWait);
        Assert.Single(await SearchTextAsync(fixture, "waiting"));
        var info = await fixture.Collection.GetInfoAsync();
        // The look for leftovers at the start may find the point as well as the write did.
        Assert.InRange(info.EmbeddingQueue, 1, 2);
        Assert.Equal(CollectionColor.Yellow, info.Color);
        // A change meanwhile does not lose the vector.
        await fixture.Collection.WriteAsync(new WriteBatch().SetPayload(1, """{"n":1}"""), Batches.NoWait);
        held.SetResult();
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(StubGenerator.Of("waiting words"), VectorOf((await fixture.AllAsync())[0]));
    }

    [Fact]
    public async Task ATextThatCannotBeEmbeddedIsCountedAndStaysSearchableAndIsTriedAgainAfterARestart()
    {
        var broken = true;
        var generator = new StubGenerator
        {
            Before = t => broken && t.Contains("bad words") ? throw new InvalidOperationException("no such words") : Task.CompletedTask,
        };
        var time = new ManualTime();
        await using var fixture = await CreateAsync(generator, time);
        var write = fixture.Collection.WriteAsync(
            new WriteBatch().Upsert(1, null, """{"text":"bad words"}""").Upsert(2, null, """{"text":"good words"}"""), Batches.Wait)
                .AsTask();
        while (!write.IsCompleted)
        {
            // Backoff passes by the clock only.
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await write;
        var info = await fixture.Collection.GetInfoAsync();
        Assert.Equal(1, info.EmbeddingFailures);
        var failure = Assert.Single(info.Failures);
        Assert.Equal("1", failure.Point);
        Assert.Contains("no such words", failure.Reason);
        Assert.Equal(2, (await SearchTextAsync(fixture, "words")).Count);
        Assert.Null(VectorOf((await fixture.AllAsync())[0]));
        Assert.Equal(StubGenerator.Of("good words"), VectorOf((await fixture.AllAsync())[1]));
        broken = false;
        await fixture.KillAndRestartAsync();
        while (VectorOf((await fixture.AllAsync())[0]) is null)
            await Task.Yield();
        Assert.Equal(StubGenerator.Of("bad words"), VectorOf((await fixture.AllAsync())[0]));
    }

    [Fact]
    public async Task AWriterWaitsForItsOwnEmbeddingsOnly()
    {
        var held = new TaskCompletionSource();
        var generator = new StubGenerator { Before = t => t.Contains("slow words") ? held.Task : Task.CompletedTask };
        await using var fixture = await CreateAsync(generator);
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, null, """{"text":"slow words"}"""), Batches.NoWait);
        var wait = new WriteOptions { Wait = true, Timeout = TimeSpan.FromMinutes(1) };
        var result = await fixture.Collection.WriteAsync(new WriteBatch().Upsert(2, new float[8]), wait);
        Assert.Equal(UpdateStatus.Completed, result.Status);
        // Waiting for the collection means everybody's.
        Assert.False(await fixture.Collection.WaitAsync(TimeSpan.Zero));
        held.SetResult();
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(StubGenerator.Of("slow words"), VectorOf((await fixture.AllAsync())[0]));
    }

    [Fact]
    public async Task ReplayingTheLogAsksForNoEmbeddingThatItHolds()
    {
        var generator = new StubGenerator();
        await using var fixture = await CreateAsync(generator);
        for (ulong id = 0; id < 50; id++)
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, null, $$"""{"text":"words {{id}}"}"""), Batches.Wait);
        var calls = generator.Calls;
        await fixture.KillAndRestartAsync();
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(calls, generator.Calls);
        Assert.All(await fixture.AllAsync(), p => Assert.NotNull(VectorOf(p)));
    }

    [Theory]
    [InlineData(OperationKind.SetPayload, null, """{"text":"late words"}""")]
    [InlineData(OperationKind.OverwritePayload, null, """{"text":"late words"}""")]
    [InlineData(OperationKind.SetPayload, "deep", """{"text":"late words"}""")]
    public async Task ATextThatComesLaterIsEmbeddedAndAVectorThatIsThereIsLeftAlone(OperationKind kind, string? key, string payload)
    {
        var config = Config with { Embeddings = [new EmbeddingRule("", key is null ? "text" : "deep.text")] };
        await using var fixture = await CreateAsync(new StubGenerator(), config: config);
        float[] own = [1, 2, 3, 4, 5, 6, 7, 8];
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, null, """{"n":1}""").Upsert(2, own, """{"n":1}"""), Batches.Wait);
        var batch = new WriteBatch();
        for (ulong id = 1; id <= 2; id++)
        {
            batch.Operations.Begin(kind, new PointId(id));
            batch.Operations.Payload(Encoding.UTF8.GetBytes(payload));
            if (key is not null)
                batch.Operations.Key(Encoding.UTF8.GetBytes(key));
            batch.Operations.End();
        }

        Assert.Equal(UpdateStatus.Completed, (await fixture.Collection.WriteAsync(batch, Batches.Wait)).Status);
        var points = await fixture.AllAsync();
        Assert.Equal(StubGenerator.Of("late words"), VectorOf(points[0]));
        Assert.Equal(own, VectorOf(points[1])!);
    }

    private static Task<Fixture> CreateAsync(StubGenerator generator, TimeProvider? time = null, CollectionConfig? config = null) =>
        Fixture.CreateAsync(
        config ?? Config,
        new DatabaseOptions
        {
            Generators = new Dictionary<string, IEmbeddingGenerator<string, Embedding<float>>> { ["stub"] = generator },
            DefaultModel = "stub",
            Time = time ?? TimeProvider.System,
        });

    private static async Task<IReadOnlyList<ScoredPoint>> SearchTextAsync(Fixture fixture, string text) =>
        await fixture.Collection.QueryAsync(new QueryRequest { Query = new NearestQuery(new TextInput(text)), Using = "text" });

    private static float[]? VectorOf(PointRecord point) => point.Vectors!.Value.FirstOrDefault(v => v.Name.Length == 0)?.Values;
}
