using System.Collections.Immutable;
using Granary.Collections.Tests.Support;
using Granary.Index;

namespace Granary.Collections.Tests.Querying;

public sealed class QueryLimitsTests
{
    private static readonly Prefetch Leaf = new() { Query = new NearestQuery(new DenseInput(new float[8])) };

    [Theory]
    [InlineData(64, null)]
    [InlineData(65, "prefetches depth 65 exceeds max depth 64")]
    [InlineData(1_000, "prefetches depth 65 exceeds max depth 64")]
    public async Task PrefetchesNestSoDeep(int depth, string? refused)
    {
        var prefetch = Leaf;
        for (var i = 1; i < depth; i++)
            prefetch = Leaf with { Prefetches = [prefetch] };
        await CheckAsync([prefetch], refused, ErrorKind.BadInput);
    }

    [Fact]
    public async Task AnEndlessNestIsRefusedBeforeItIsWalked()
    {
        var prefetch = Leaf;
        for (var i = 0; i < 1_000_000; i++)
            prefetch = Leaf with { Prefetches = [prefetch] };
        await CheckAsync([prefetch], "prefetches depth 65 exceeds max depth 64", ErrorKind.BadInput);
    }

    [Theory]
    [InlineData(32, 31, null)]
    [InlineData(33, 31, "prefetch: 1025 prefetches invalid, a query may have at most 1024, nested ones included")]
    [InlineData(1_025, 0, "prefetch: 1025 prefetches invalid, a query may have at most 1024, nested ones included")]
    public async Task AQueryHasSoManyPrefetches(int outer, int inner, string? refused)
    {
        var one = Leaf with { Prefetches = [.. Enumerable.Repeat(Leaf, inner)] };
        await CheckAsync([.. Enumerable.Repeat(one, outer)], refused, ErrorKind.Validation);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public async Task WeightsAreFinite(float weight, string shown)
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, new float[8]), Batches.Wait);
        foreach (var (query, name) in new (Query, string)[]
        {
            (new RrfQuery(2, [1, weight]), "rrf"),
            (new WeightedSumQuery([weight, 1]), "weighted_sum"),
            (new ConvexQuery([1, weight]), "convex"),
        })
        {
            var request = new QueryRequest { Query = query, Prefetches = [Leaf, Leaf] };
            var error = await Assert.ThrowsAsync<GranaryException>(async () => await fixture.Collection.QueryAsync(request));
            Assert.Equal((ErrorKind.Validation, $"{name}.weights: value {shown} invalid, must be finite"), (error.Kind, error.Message));
        }
    }

    private static async Task CheckAsync(ImmutableArray<Prefetch> prefetches, string? refused, ErrorKind kind)
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, new float[8]), Batches.Wait);
        var request = new QueryRequest { Query = new RrfQuery(2, []), Prefetches = prefetches };
        if (refused is null)
        {
            Assert.Single(await fixture.Collection.QueryAsync(request));
            return;
        }

        var error = await Assert.ThrowsAsync<GranaryException>(async () => await fixture.Collection.QueryAsync(request));
        Assert.Equal((kind, refused), (error.Kind, error.Message));
    }
}
