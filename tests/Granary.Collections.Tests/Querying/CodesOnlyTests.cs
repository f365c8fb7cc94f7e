using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Index.Filters;
using static Granary.Collections.Tests.Support.Batches;

namespace Granary.Collections.Tests.Querying;

/// <summary>A collection whose vectors are kept as int8 codes alone, from creation to a rebuild.</summary>
public sealed class CodesOnlyTests
{
    private const int Count = 2400;
    private const int Size = 24;
    private static readonly float[][] Vectors = Make(Count + 10, 1);

    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Euclid)]
    public async Task PointsAreWrittenChangedFoundAndReadBack(Distance distance)
    {
        await using var fixture = await CreateAsync(distance);
        await CheckAsync(fixture, Vectors);

        // Another vector, the same vector with other payload, and no vector.
        var changed = Vectors.ToArray();
        changed[7] = Vectors[Count];
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(7, changed[7], """{"tag":"0"}"""), Wait);
        await fixture.Collection.WriteAsync(new WriteBatch().SetPayload(8, """{"more":1}"""), Wait);
        await CheckAsync(fixture, changed);

        var before = await fixture.AllAsync();
        await fixture.Collection.CheckpointAsync();
        await fixture.RestartAsync();
        await CheckSameAsync(fixture, before);
        await CheckAsync(fixture, changed);
        await fixture.Collection.RebuildAsync();
        await CheckSameAsync(fixture, before);
        await CheckAsync(fixture, changed);
        await fixture.KillAndRestartAsync();
        await CheckSameAsync(fixture, before);
    }

    [Fact]
    public async Task DeletedPointsAreRepairedAround()
    {
        await using var fixture = await CreateAsync(Distance.Cosine);
        var batch = new WriteBatch();
        for (var i = 0; i < Count; i += 2)
            batch.Delete((ulong)i);
        await fixture.Collection.WriteAsync(batch, Wait);
        await fixture.Collection.WaitAsync();
        for (var i = 1; i < 200; i += 2)
            Assert.Equal((ulong)i, (await QueryAsync(fixture, Vectors[i], null, false))[0].Id.Number);
    }

    [Fact]
    public async Task WhetherOriginalsAreKeptIsFixedAtCreationAndNeedsADistanceOfDotProducts()
    {
        await using var fixture = await CreateAsync(Distance.Dot, count: 1);
        var change = await Assert.ThrowsAsync<GranaryException>(async () => await fixture.Database.UpdateCollectionAsync("c", config =>
            config with { Schema = config.Schema with { Dense = [config.Schema.Dense[0] with { Storage = VectorStorage.Float32 }] } }));
        Assert.Equal(ErrorKind.BadInput, change.Kind);
        foreach (var vector in new[] { Vector(Distance.Manhattan), Vector(Distance.Cosine) with { MultiVector = true } })
        {
            var error = await Assert.ThrowsAsync<GranaryException>(async () => await fixture.Database.CreateCollectionAsync(
                "d", new CollectionConfig { Schema = new IndexSchema { Dense = [vector] } }));
            Assert.Equal(ErrorKind.Validation, error.Kind);
        }
    }

    private static async Task<Fixture> CreateAsync(Distance distance, int count = Count)
    {
        var fixture = await Fixture.CreateAsync(new CollectionConfig { Schema = new IndexSchema { Dense = [Vector(distance)] } });
        await fixture.Collection.CreatePayloadIndexAsync(new PayloadIndexSchema("tag", PayloadIndexType.Keyword), Wait);
        for (var from = 0; from < count; from += 400)
        {
            var batch = new WriteBatch();
            for (var i = from; i < Math.Min(count, from + 400); i++)
                batch.Upsert((ulong)i, Vectors[i], $$"""{"tag":"{{i % 7}}"}""");
            await fixture.Collection.WriteAsync(batch, Wait);
        }

        await fixture.Collection.WaitAsync();
        return fixture;
    }

    private static DenseVectorSchema Vector(Distance distance) => new("", Size, distance) { Storage = VectorStorage.Int8 };

    private static async Task CheckAsync(Fixture fixture, float[][] vectors)
    {
        foreach (var i in new[] { 0, 7, 8, 1000, Count - 1 })
        {
            foreach (var exact in new[] { false, true })
            {
                Assert.Equal((ulong)i, (await QueryAsync(fixture, vectors[i], null, exact))[0].Id.Number);
                var tag = i == 7 ? "0" : $"{i % 7}";
                var hits = await QueryAsync(fixture, vectors[i], tag, exact);
                Assert.Equal((ulong)i, hits[0].Id.Number);
                Assert.All(hits, h => Assert.Equal(tag, h.Id.Number == 7 ? "0" : $"{h.Id.Number % 7}"));
            }

            var ids = new[] { new PointId((ulong)i) };
            var point = Assert.Single(await fixture.Collection.RetrieveAsync(ids, PayloadSelector.None, new VectorSelector(true)));
            var stored = Assert.Single(point.Vectors!.Value).Values;
            var scale = vectors[i].Zip(stored, (a, b) => (double)a * b).Sum() / stored.Sum(v => (double)v * v);
            var error = vectors[i].Max(MathF.Abs) / 100;
            Assert.All(stored.Zip(vectors[i]), v => Assert.InRange(Math.Abs((v.First * scale) - v.Second), 0, error));
        }
    }

    private static async Task CheckSameAsync(Fixture fixture, IEnumerable<PointRecord> before) =>
        Assert.Equal(before.Select(Text), (await fixture.AllAsync()).Select(Text));

    private static string Text(PointRecord point) =>
        $"{point.Id}: {string.Join(' ', point.Vectors!.Value[0].Values.Select(v => $"{v:R}"))}";

    private static ValueTask<IReadOnlyList<ScoredPoint>> QueryAsync(Fixture fixture, float[] vector, string? tag, bool exact) =>
        fixture.Collection.QueryAsync(new QueryRequest
        {
            Query = new NearestQuery(new DenseInput(vector)),
            Filter = tag is null ? null : new Filter { Must = [new MatchAnyCondition("tag", [MatchValue.Of(tag)])] },
            Params = new SearchParams { Exact = exact },
        });

    private static float[][] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count)
            .Select(_ => Enumerable.Range(0, Size).Select(_ => (float)random.NextDouble() - 0.5f).ToArray())];
    }
}
