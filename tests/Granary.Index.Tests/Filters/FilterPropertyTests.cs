using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Granary.Index.Filters;

namespace Granary.Index.Tests.Filters;

public sealed class FilterPropertyTests
{
    private static readonly string[] Keys = ["a", "b", "n.x", "n[].x", "n", "a[]", "a[0]", "missing"];
    private static readonly string[] Words = ["red", "green", "blue gray", "r\\u0065d", "9f1c2d3e-0000-4000-8000-00000000000a",
        "9F1C2D3E-0000-4000-8000-00000000000A", "2020-01-02T00:00:00Z", "2021-01-02T00:00:00Z",
        "Red gray, green", "gray-green gray-BLUE", "gray gray blue"];
    private static readonly string[] Texts =
        ["red", "gr", "gray", "GRAY blue", "blue gray", "gray gray", "gray green gray blue", "green, red", "", "2021 01", "-"];

    private static readonly PayloadIndexType[] Types =
    [
        PayloadIndexType.Keyword, PayloadIndexType.Integer, PayloadIndexType.Float, PayloadIndexType.Bool,
        PayloadIndexType.Datetime, PayloadIndexType.Uuid, PayloadIndexType.Geo, PayloadIndexType.Text,
    ];

    [Fact]
    public void Answers_are_the_definitions_with_without_and_with_some_indexes_after_changes_and_a_reload() =>
        Prop.ForAll<int>(Check).Check(Config.QuickThrowOnFailure.WithMaxTest(150));

    [Fact]
    public void A_written_filter_reads_back_the_same() =>
        Prop.ForAll<int>(seed =>
        {
            var filter = RandomFilter(new Random(seed), 3);
            var json = FilterJson.ToUtf8(filter);
            Assert.Equal(json, FilterJson.ToUtf8(FilterJson.Parse(json)));
        }).QuickCheckThrowOnFailure();

    private static void Check(int seed)
    {
        // Every kind of index meets every key, and each seed many filters: an index that answers wrongly for one kind of value must show.
        var random = new Random(unchecked((int)(seed * 2654435761u)));
        using var plain = new PointBench();
        using var indexed = new PointBench();
        var payloads = new Dictionary<ulong, string>();
        var count = random.Next(1, 90);
        foreach (var key in Keys.Take(5).Where(_ => random.Next(3) > 0))
            indexed.Create(new PayloadIndexSchema(key, Types[random.Next(Types.Length)]));
        for (var step = 0; step < count; step++)
        {
            if (random.Next(30) == 0)
                indexed.Create(new PayloadIndexSchema(Keys[random.Next(5)], Types[random.Next(Types.Length)]));
            if (random.Next(40) == 0)
                indexed.Reload();
            var id = (ulong)random.Next(40);
            if (random.Next(6) == 0)
            {
                plain.Delete(id, false);
                indexed.Delete(id, random.Next(2) == 0);
                payloads.Remove(id);
                continue;
            }

            payloads[id] = RandomObject(random, 3);
            plain.Put(id, payloads[id]);
            indexed.Put(id, payloads[id]);
        }

        for (var i = 0; i < 60; i++)
        {
            var filter = RandomFilter(random, 2);
            ulong[] expected = [.. payloads.Where(p => ReferenceFilter.Matches(filter, JsonNode.Parse(p.Value)!, new PointId(p.Key)))
                .Select(p => p.Key).Order()];
            Assert.Equal(expected, plain.Select(filter));
            Assert.Equal(expected, indexed.Select(filter));
        }
    }

    private static string RandomObject(Random random, int depth)
    {
        string[] names = ["a", "b", "n", "x", "lon"];
        return "{" + string.Join(random.Next(2) == 0 ? "," : " , ",
            names.Where(_ => random.Next(2) == 0).Select(n => $"\"{n}\": {RandomValue(random, depth - 1)}")) + "}";
    }

    private static string RandomValue(Random random, int depth) => random.Next(depth > 0 ? 12 : 8) switch
    {
        0 => "null",
        1 => random.Next(2) == 0 ? "true" : "false",
        2 => random.Next(-3, 4).ToString(CultureInfo.InvariantCulture),
        3 => (random.Next(-6, 7) / 2.0).ToString("0.0", CultureInfo.InvariantCulture),
        4 => random.Next(2) == 0 ? "9007199254740993" : "18446744073709551615",
        5 or 6 => $"\"{Words[random.Next(Words.Length)]}\"",
        7 => $"{{\"lon\":{random.Next(-200, 201)},\"lat\":{random.Next(-90, 91)}}}",
        8 => RandomObject(random, depth),
        _ => "[" + string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => RandomValue(random, depth - 1))) + "]",
    };

    private static Filter RandomFilter(Random random, int depth)
    {
        var filter = new Filter();
        if (random.Next(2) == 0)
            filter = filter with { Must = Conditions(2) };
        if (random.Next(3) == 0)
            filter = filter with { Should = Conditions(3) };
        if (random.Next(3) == 0)
            filter = filter with { MustNot = Conditions(2) };
        if (random.Next(4) == 0)
            filter = filter with { MinShould = new MinShould(Conditions(4), random.Next(1, 4)) };
        return filter;

        ImmutableArray<Condition> Conditions(int max) =>
            [.. Enumerable.Range(0, random.Next(max + 1)).Select(_ => RandomCondition(random, depth))];
    }

    private static Condition RandomCondition(Random random, int depth)
    {
        var key = Keys[random.Next(Keys.Length)];
        double? Bound() => random.Next(2) == 0 ? null : random.Next(5) == 0 ? 9007199254740992.0 : random.Next(-7, 8) / 2.0;
        int? Small() => random.Next(2) == 0 ? null : random.Next(4);
        DateTimeOffset? Day() => random.Next(2) == 0
            ? null : new DateTimeOffset(2020 + random.Next(3), 1, random.Next(1, 4), 0, 0, 0, TimeSpan.Zero);
        MatchValue Word() => MatchValue.Of(Words[random.Next(Words.Length)].Replace("\\u0065", "e", StringComparison.Ordinal));
        MatchValue Integer() => MatchValue.Of(random.Next(6) == 0 ? 9007199254740993 : random.Next(-3, 4));
        ImmutableArray<MatchValue> Several(int least) => random.Next(2) == 0
            ? [.. Enumerable.Range(0, random.Next(least, 12)).Select(_ => Word())]
            : [.. Enumerable.Range(0, random.Next(least, 4)).Select(_ => Integer())];
        return random.Next(depth > 0 ? 20 : 17) switch
        {
            0 => new MatchAnyCondition(key, [Word()]),
            1 => new MatchAnyCondition(key, [Integer()]),
            2 => new MatchAnyCondition(key, [MatchValue.Of(random.Next(2) == 0)]),
            3 => new MatchAnyCondition(key, Several(0)),
            4 => new MatchExceptCondition(key, Several(1)),
            5 or 6 => new MatchTextCondition(key, Texts[random.Next(Texts.Length)], (TextMatchMode)random.Next(4)),
            7 => new RangeCondition(key, Bound(), Bound(), Bound(), Bound()),
            8 => Day() is { } day ? new DatetimeRangeCondition(key, Day(), day, Day(), Day()) : new IsNullCondition(key),
            9 => new IsEmptyCondition(key),
            10 => new ValuesCountCondition(key, Small(), Small(), Small(), Small()),
            11 => new HasIdCondition([.. Enumerable.Range(0, random.Next(5)).Select(_ => new PointId((ulong)random.Next(40))).Distinct()]),
            12 => new GeoBoundingBoxCondition(key, Place(), Place()),
            13 => new GeoRadiusCondition(key, Place(), random.Next(20_000_000)),
            14 => new GeoPolygonCondition(key, Ring(), random.Next(2) == 0 ? [] : [Ring()]),
            15 => new SliceCondition(random.Next(3), 3),
            16 => new HasVectorCondition(random.Next(3) == 0 ? "other" : "even"),
            17 => new FilterCondition(RandomFilter(random, depth - 1)),
            _ => new NestedCondition(random.Next(2) == 0 ? "n" : "a[]", RandomFilter(random, depth - 1)),
        };

        GeoPoint Place() => new(random.Next(-180, 181), random.Next(-90, 91));

        ImmutableArray<GeoPoint> Ring()
        {
            GeoPoint[] corners = [.. Enumerable.Range(0, random.Next(3, 6)).Select(_ => Place())];
            return [.. corners, corners[0]];
        }
    }
}
