using System.Collections.Immutable;
using Granary.Index.Filters;

namespace Granary.Index.Tests.Filters;

/// <summary>What bitmaps of combined conditions cost.</summary>
public sealed class MaskFillTests
{
    private const int Points = 5000;

    [Fact]
    public void WhereOneConditionLeavesFewTheDearOnesAreNotFilled()
    {
        using var bench = Bench();
        var filter = new Filter
        {
            Must = [Range(0, 2000), Tenant(3)],
            MustNot = [Range(0, 2500)],
            Should = [Range(0, 2400), Tenant(4)],
        };

        // The range alone costs 2,000; the tenant has 10 points.
        Assert.Equal(new ulong[] { 3, 503, 1003, 1503 }, bench.Select(filter with { MustNot = [], Should = [] }));
        using var plan = FilterPlan.Compile(filter, bench);
        Assert.True(plan.TryBits(1024, out var bits, out var exact));
        Assert.Equal(10, bits.Count());
        Assert.False(exact);
    }

    [Fact]
    public void TheBudgetIsSharedByAllConditions()
    {
        using var bench = Bench();
        ImmutableArray<Condition> ranges = [.. Enumerable.Range(0, 5).Select(i => Range(i * 1000, 900))];
        using var each = FilterPlan.Compile(new Filter { Should = [ranges[0]] }, bench);
        Assert.True(each.TryBits(1000, out _, out _));
        using var all = FilterPlan.Compile(new Filter { Should = ranges }, bench);
        Assert.False(all.TryBits(1000, out _, out _));
        Assert.True(all.TryBits(10_000, out var bits, out var exact));
        Assert.True(exact);
        Assert.Equal(4500, bits.Count());
    }

    [Fact]
    public void ManyConditionsTakeFewBitmaps()
    {
        using var bench = Bench();
        ImmutableArray<Condition> tenants = [.. Enumerable.Range(0, 400).Select(Tenant)];
        ImmutableArray<Condition> nested =
            [.. tenants.Select(tenant => new FilterCondition(new Filter { Must = [tenant, Range(0, 4000)] }))];
        foreach (var filter in new[]
        {
            new Filter { Should = tenants },
            new Filter { MustNot = tenants },
            new Filter { Should = nested, MustNot = [Range(0, 100)] },
            new Filter { MinShould = new MinShould(nested, 1), Should = tenants },
        })
        {
            var found = bench.Select(filter);
            using var plan = FilterPlan.Compile(filter, bench);
            Assert.True(plan.TryBits(long.MaxValue, out var bits, out var exact));
            Assert.InRange(plan.RentedBitmaps, 1, 6);
            Assert.Equal(found, bits.ToArray().Where(slot => exact || plan.Matches(slot)).Select(slot => (ulong)slot));
        }
    }

    private static PointBench Bench()
    {
        var bench = new PointBench();
        bench.Create(new PayloadIndexSchema("tenant", PayloadIndexType.Integer));
        bench.Create(new PayloadIndexSchema("time", PayloadIndexType.Integer));
        for (var i = 0; i < Points; i++)
            bench.Put((ulong)i, $"{{\"tenant\":{i % 500},\"time\":{i}}}");
        return bench;
    }

    private static MatchAnyCondition Tenant(int tenant) => new("tenant", [MatchValue.Of(tenant)]);

    private static RangeCondition Range(int from, int count) => new("time", null, from, from + count, null);
}
