using System.Text;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Microsoft.Extensions.AI;

namespace Granary.Collections.Tests.Rules;

/// <summary>A computed vector is the one of the point's text, whatever changes that; one that a client gave is left alone.</summary>
public sealed class EmbeddingFollowsTheText : IDisposable
{
    private static readonly float[] Own = [1, 2, 3, 4, 5, 6, 7, 8];
    private readonly StubGenerator _generator = new();

    [Theory]
    [InlineData(OperationKind.Upsert, """{"deep":{"text":"new words"}}""", "", "new words")]
    [InlineData(OperationKind.Upsert, """{"n":1}""", "", null)]
    [InlineData(OperationKind.SetPayload, """{"deep":{"text":"new words"}}""", "", "new words")]
    [InlineData(OperationKind.SetPayload, """{"deep":{"text":"unknown"}}""", "", null)]
    [InlineData(OperationKind.SetPayload, """{"deep":{"other":1}}""", "", null)]
    [InlineData(OperationKind.SetPayload, """{"n":2}""", "", "old words\nmore")]
    [InlineData(OperationKind.SetPayload, """{"text":"new words"}""", "deep", "new words")]
    [InlineData(OperationKind.SetPayload, """{"text":"new words"}""", "beside", "old words\nmore")]
    [InlineData(OperationKind.OverwritePayload, """{"deep":{"text":"new words"}}""", "", "new words")]
    [InlineData(OperationKind.OverwritePayload, """{"n":2}""", "", null)]
    [InlineData(OperationKind.DeletePayload, "", """["deep.text"]""", null)]
    [InlineData(OperationKind.DeletePayload, "", """["n"]""", "old words\nmore")]
    [InlineData(OperationKind.ClearPayload, "", "", null)]
    [InlineData(OperationKind.DeleteVectors, "", """[""]""", "old words\nmore")]
    public async Task HoweverTheTextChanges(OperationKind kind, string payload, string key, string? expected)
    {
        await using var fixture = await CreateAsync();
        const string before = """{"deep":{"text":["old words","more"]},"n":1}""";
        await fixture.Collection.WriteAsync(
            new WriteBatch().Upsert(1, null, before).Upsert(2, null, before).Upsert(3, Own, before), Batches.Wait);
        var batch = new WriteBatch();
        Begin(batch, kind, new PointId(1), payload, key);
        if (kind != OperationKind.Upsert)
            Begin(batch, kind, default, payload, key, new HasIdCondition([new PointId(2), new PointId(3)]));
        Assert.Equal(UpdateStatus.Completed, (await fixture.Collection.WriteAsync(batch, Batches.Wait)).Status);
        var vectors = (await fixture.AllAsync()).Select(VectorOf).ToList();
        var wanted = expected is null ? null : StubGenerator.Of(expected);
        Assert.Equal(wanted, vectors[0]);
        if (kind == OperationKind.Upsert)
            return;
        Assert.Equal(wanted, vectors[1]);
        // Deleted, the client's own is lacking, and there is a text.
        Assert.Equal(kind == OperationKind.DeleteVectors ? wanted : Own, vectors[2]);
    }

    [Fact]
    public async Task AnUpsertWithTheSameTextAsksForNoVector()
    {
        await using var fixture = await CreateAsync();
        for (var n = 0; n < 3; n++)
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, null, Text("some words", n)), Batches.Wait);
        Assert.Equal(1, _generator.Calls);
        Assert.Equal(StubGenerator.Of("some words"), VectorOf(Assert.Single(await fixture.AllAsync())));
    }

    [Fact]
    public async Task AVectorOfATextThatWasReplacedMeanwhileIsNotApplied()
    {
        var held = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        _generator.Before = texts =>
        {
            asked.TrySetResult();
            return texts.Contains("first words") ? held.Task : Task.CompletedTask;
        };
        await using var fixture = await CreateAsync();
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, null, Text("first words")), Batches.NoWait);
        await asked.Task;
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, null, Text("second words")), Batches.Wait);
        Assert.Equal(StubGenerator.Of("second words"), VectorOf((await fixture.AllAsync())[0]));
        held.SetResult();
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(StubGenerator.Of("second words"), VectorOf((await fixture.AllAsync())[0]));
    }

    [Fact]
    public async Task TheLogAloneGivesTheSameVectors()
    {
        await using var fixture = await CreateAsync();
        var random = new Random(7);
        for (var round = 0; round < 60; round++)
        {
            var batch = new WriteBatch();
            for (var i = 0; i < 5; i++)
                Change(batch, random);
            await fixture.Collection.WriteAsync(batch, round % 3 == 0 ? Batches.Wait : Batches.NoWait);
            if (round == 30)
                await fixture.Collection.CheckpointAsync();
        }

        Assert.True(await fixture.Collection.WaitAsync());
        var points = await fixture.AllAsync();
        foreach (var point in points)
        {
            var text = PayloadText(point);
            var computed = point.Vectors!.Value.Any(v => v.ComputedFrom is not null);
            Assert.Equal(VectorOf(point) is { } vector && !vector.SequenceEqual(Own), computed);
            if (VectorOf(point) is null || !VectorOf(point)!.SequenceEqual(Own))
                Assert.Equal(text is null ? null : StubGenerator.Of(text), VectorOf(point));
        }

        var expected = Describe(points);
        await fixture.Collection.RebuildAsync();
        Assert.Equal(expected, Describe(await fixture.AllAsync()));
        var calls = _generator.Calls;
        // From the checkpoint and the log's rest.
        await fixture.KillAndRestartAsync();
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(expected, Describe(await fixture.AllAsync()));
        await fixture.RestartAsync();
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(expected, Describe(await fixture.AllAsync()));
        Assert.Equal(calls, _generator.Calls);
    }

    [Fact]
    public async Task ARestartFindsPointsWhoseTextWasChangedAndNotEmbedded()
    {
        await using var fixture = await CreateAsync();
        var batch = new WriteBatch();
        for (ulong id = 0; id < 30; id++)
            batch.Upsert(id, id % 3 == 0 ? Own : null, Text("old words"));
        await fixture.Collection.WriteAsync(batch, Batches.Wait);
        var never = new TaskCompletionSource();
        _generator.Before = _ => never.Task;
        await fixture.Collection.WriteAsync(
            new WriteBatch().SetWhere(new Filter { Must = [new IsEmptyCondition("none")] }, Text("new words")), Batches.NoWait);
        Assert.All(await fixture.AllAsync(), p => Assert.Equal(p.Id.Number % 3 == 0 ? Own : null, VectorOf(p)));
        _generator.Before = null;
        await fixture.KillAndRestartAsync();
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.All(await fixture.AllAsync(), p => Assert.Equal(p.Id.Number % 3 == 0 ? Own : StubGenerator.Of("new words"), VectorOf(p)));
    }

    public void Dispose() => _generator.Dispose();

    private static void Change(WriteBatch batch, Random random)
    {
        var id = new PointId((ulong)random.Next(20));
        Condition? filter = random.Next(4) == 0 ? new MatchAnyCondition("n", [MatchValue.Of(random.Next(3))]) : null;
        var target = filter is null ? id : default;
        switch (random.Next(7))
        {
            case 0 or 1:
                batch.Upsert(id.Number, random.Next(4) == 0 ? Own : null, Text($"words {random.Next(4)}", random.Next(3)));
                break;
            case 2:
                Begin(batch, OperationKind.SetPayload, target, Text($"words {random.Next(4)}", random.Next(3)), "", filter);
                break;
            case 3:
                Begin(batch, OperationKind.OverwritePayload, target, Text($"words {random.Next(4)}", random.Next(3)), "", filter);
                break;
            case 4:
                Begin(batch, OperationKind.DeletePayload, target, "", """["deep"]""", filter);
                break;
            case 5:
                Begin(batch, OperationKind.ClearPayload, target, "", "", filter);
                break;
            default:
                batch.SetPayload(id.Number, """{"n":1}""");
                break;
        }
    }

    private static void Begin(WriteBatch batch, OperationKind kind, PointId id, string payload, string key, Condition? filter = null)
    {
        batch.Operations.Begin(kind, id, filter is null ? OperationFlags.None : OperationFlags.ByFilter);
        if (filter is not null)
            batch.Operations.Filter(FilterJson.ToUtf8(new Filter { Must = [filter] }));
        batch.Operations.Payload(Encoding.UTF8.GetBytes(payload));
        batch.Operations.Key(Encoding.UTF8.GetBytes(key));
        batch.Operations.End();
    }

    private static string Text(string text, int n = 0) => $$$"""{"deep":{"text":"{{{text}}}"},"n":{{{n}}}}""";

    private static string? PayloadText(PointRecord point)
    {
        using var payload = System.Text.Json.JsonDocument.Parse(point.Payload!.Value.IsEmpty ? "{}"u8.ToArray() : point.Payload!.Value);
        return payload.RootElement.TryGetProperty("deep", out var deep) ? deep.GetProperty("text").GetString() : null;
    }

    private static List<string> Describe(IEnumerable<PointRecord> points) =>
    [
        .. points.Select(p => $"{p.Id} @{p.Version} {Encoding.UTF8.GetString(p.Payload!.Value.Span)} "
            + string.Join(' ', p.Vectors!.Value.Select(v => $"[{string.Join(',', v.Values)}] {v.ComputedFrom}"))),
    ];

    private static float[]? VectorOf(PointRecord point) => point.Vectors!.Value.FirstOrDefault(v => v.Name.Length == 0)?.Values;

    private Task<Fixture> CreateAsync() => Fixture.CreateAsync(
        Fixture.Plain with { Embeddings = [new EmbeddingRule("", "deep.text")] },
        new DatabaseOptions
        {
            Generators = new Dictionary<string, IEmbeddingGenerator<string, Embedding<float>>> { ["stub"] = _generator },
            DefaultModel = "stub",
        });
}
