using System.Reflection;
using FsCheck;
using FsCheck.Fluent;
using Granary.Collections.Wire;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Collections.Tests.Wire;

public sealed class WireRoundTripTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(300);

    public static TheoryData<WireKind> Kinds => new(Enum.GetValues<WireKind>());

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Whatever_is_encoded_decodes_to_the_same(WireKind kind) => Prop.ForAll(WireCases.Seeds, seed =>
    {
        var sample = WireCases.Find(kind);
        var value = sample.Make(new WireSamples(new Random(seed)));
        Assert.Null(Structure.Difference(value, sample.Decode(sample.Encode(value))));
    }).Check(Many);

    [Fact]
    public void Every_kind_of_leg_makes_the_round_trip()
    {
        Assert.Equal(Concrete<Leg>(), TypesOf(new WireSamples(new Random(1)).Legs.Select(make => make())));
        Prop.ForAll(WireCases.Seeds, seed =>
        {
            foreach (var make in new WireSamples(new Random(seed)).Legs)
            {
                var request = new Searching.PartitionRequest([make()], new ReadOptions());
                Assert.Null(Structure.Difference(request, SearchWire.DecodeRequest(SearchWire.Encode(request))));
            }
        }).Check(Many);
    }

    [Fact]
    public void Every_kind_of_condition_makes_the_round_trip()
    {
        Assert.Equal(Concrete<Condition>(), TypesOf(new WireSamples(new Random(1)).Conditions.Select(make => make(1))));
        Prop.ForAll(WireCases.Seeds, seed =>
        {
            foreach (var make in new WireSamples(new Random(seed)).Conditions)
            {
                var filter = new Filter { Should = [make(2)] };
                Assert.Null(Structure.Difference(filter, FilterWire.Decode(FilterWire.Encode(filter))));
            }
        }).Check(Many);
    }

    [Fact]
    public void No_property_of_what_crosses_is_forgotten_by_the_samples()
    {
        var seen = new Dictionary<PropertyInfo, object?>();
        var varied = new HashSet<PropertyInfo>();
        for (var seed = 0; seed < 200; seed++)
        {
            foreach (var sample in WireCases.All)
            {
                foreach (var (property, value) in Structure.Walk(sample.Make(new WireSamples(new Random(seed)))))
                {
                    if (seen.TryAdd(property, value) || varied.Contains(property))
                        continue;
                    if (Structure.Difference(seen[property], value) is not null)
                        varied.Add(property);
                }
            }
        }

        Assert.Empty(seen.Keys.Except(varied).Select(p => $"{p.ReflectedType!.Name}.{p.Name}"));
    }

    [Fact]
    public void An_error_has_no_property_that_stays_behind() => Assert.Equal(
        ["Kind", "RetryAfter"],
        typeof(GranaryException).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Select(p => p.Name).Order());

    [Fact]
    public void No_filter_is_none_again() => Assert.Null(FilterWire.Decode(FilterWire.Encode(null)));

    [Fact]
    public void Lists_that_were_never_set_arrive_empty()
    {
        var filter = FilterWire.Decode(FilterWire.Encode(new Filter { Must = default, Should = [new HasIdCondition(default)] }));
        Assert.True(filter!.Must is { IsDefault: false, IsEmpty: true });
        Assert.True(Assert.IsType<HasIdCondition>(Assert.Single(filter.Should)).Ids is { IsDefault: false, IsEmpty: true });
    }

    private static string[] TypesOf(IEnumerable<object> values) => [.. values.Select(v => v.GetType().Name).Order()];

    private static string[] Concrete<T>() => [.. new[] { typeof(T).Assembly, typeof(WireMessage).Assembly }
        .SelectMany(a => a.GetTypes()).Where(t => t.IsSubclassOf(typeof(T)) && !t.IsAbstract).Select(t => t.Name).Order()];
}
