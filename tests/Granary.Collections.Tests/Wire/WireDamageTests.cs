using FsCheck;
using FsCheck.Fluent;
using Granary.Collections.Wire;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Collections.Tests.Wire;

public sealed class WireDamageTests
{
    public static TheoryData<WireKind> Kinds => new(Enum.GetValues<WireKind>());

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Changed_bytes_give_a_value_or_an_error_and_never_allocate_without_bound(WireKind kind)
    {
        var sample = WireCases.Find(kind);
        // What is set up at the first message of a kind, and at the first error, is not the message's.
        var first = sample.Encode(sample.Make(new WireSamples(new Random(1))));
        sample.Decode(first);
        Assert.Throws<GranaryException>(() => sample.Decode([.. first, 0]));
        Prop.ForAll(WireCases.Seeds, seed =>
        {
            var random = new Random(seed);
            var whole = sample.Encode(sample.Make(new WireSamples(random)));
            for (var i = 0; i < 20; i++)
                Survives(sample, Mutate(whole, random));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_message_cut_short_anywhere_is_an_error(WireKind kind)
    {
        var sample = WireCases.Find(kind);
        for (var seed = 0; seed < 10; seed++)
        {
            var whole = sample.Encode(sample.Make(new WireSamples(new Random(seed))));
            for (var length = 0; length < whole.Length; length++)
                Assert.Throws<GranaryException>(() => sample.Decode(whole[..length]));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Bytes_after_the_end_are_an_error(WireKind kind)
    {
        var sample = WireCases.Find(kind);
        byte[] longer = [.. sample.Encode(sample.Make(new WireSamples(new Random(7)))), 0];
        Assert.Contains("1 bytes after its end", Assert.Throws<GranaryException>(() => sample.Decode(longer)).Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Another_version_is_refused_with_both_versions_named(WireKind kind)
    {
        var sample = WireCases.Find(kind);
        var message = sample.Encode(sample.Make(new WireSamples(new Random(7))));
        message[0] = 9;
        var error = Assert.Throws<GranaryException>(() => sample.Decode(message));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains("wire version 9", error.Message);
        Assert.Contains($"version {WireMessage.Version}", error.Message);
    }

    [Fact]
    public void A_message_of_another_kind_is_refused() => Assert.Contains(
        "its kind is 11 where 9 (Filter) is expected",
        Assert.Throws<GranaryException>(() => FilterWire.Decode(SearchWire.Encode(new ReadOptions()))).Message);

    [Fact]
    public void An_error_in_the_place_of_any_answer_is_thrown_as_it_was()
    {
        var message = ErrorWire.Encode(new GranaryException(ErrorKind.TooManyRequests, "The queue is full")
        {
            RetryAfter = TimeSpan.FromMilliseconds(250),
        });
        foreach (var sample in WireCases.All.Where(c => c.Kind != WireKind.Error))
        {
            var error = Assert.Throws<GranaryException>(() => sample.Decode(message));
            Assert.Equal((ErrorKind.TooManyRequests, "The queue is full", TimeSpan.FromMilliseconds(250)),
                (error.Kind, error.Message, error.RetryAfter!.Value));
        }
    }

    [Fact]
    public void Unknown_kinds_of_legs_and_conditions_are_named_on_both_sides()
    {
        byte[] leg = [WireMessage.Version, (byte)WireKind.SearchRequest, 1, 1, 99, 0, 20, 0];
        Assert.Contains("unknown kind of query 99", Assert.Throws<GranaryException>(() => SearchWire.DecodeRequest(leg)).Message);
        byte[] condition = [WireMessage.Version, (byte)WireKind.Filter, 1, 1, 1, 99, 0];
        Assert.Contains("unknown kind of condition 99", Assert.Throws<GranaryException>(() => FilterWire.Decode(condition)).Message);
        Assert.Contains(nameof(StrangeLeg), Assert.Throws<GranaryException>(
            () => SearchWire.Encode(new Searching.PartitionRequest([new StrangeLeg()], new ReadOptions()))).Message);
        Assert.Contains(nameof(StrangeCondition), Assert.Throws<GranaryException>(
            () => FilterWire.Encode(new Filter { Must = [new StrangeCondition()] })).Message);
    }

    [Fact]
    public void Filters_cross_as_deep_as_the_limit_and_no_deeper()
    {
        Assert.Null(Structure.Difference(Deep(FilterWire.MaxDepth), FilterWire.Decode(FilterWire.Encode(Deep(FilterWire.MaxDepth)))));
        Assert.Contains("nested deeper than 128",
            Assert.Throws<GranaryException>(() => FilterWire.Encode(Deep(FilterWire.MaxDepth + 1))).Message);
        var levels = Enumerable.Repeat<byte>(1, 300_000);
        byte[] hostile = [WireMessage.Version, (byte)WireKind.Filter, 1, .. levels];
        Assert.Contains("nested deeper than 128", Assert.Throws<GranaryException>(() => FilterWire.Decode(hostile)).Message);
    }

    [Fact]
    public void Lists_inside_lists_cannot_each_claim_the_whole_message()
    {
        // Every level claims as many conditions as the bytes that are left would hold, and the level below begins at once.
        var hostile = new List<byte> { WireMessage.Version, (byte)WireKind.Filter, 1 };
        for (var level = 0; level < 100; level++)
        {
            hostile.Add(1);
            for (var left = 400_000u; ; left >>= 7)
            {
                hostile.Add((byte)(left < 0x80 ? left : left | 0x80));
                if (left < 0x80)
                    break;
            }

            hostile.Add(1);
        }

        hostile.AddRange(new byte[1_000_000]);
        byte[] message = [.. hostile];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("400000 elements", Assert.Throws<GranaryException>(() => FilterWire.Decode(message)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8L * message.Length);
    }

    private static Filter Deep(int depth)
    {
        var filter = new Filter { Must = [new IsNullCondition("a")] };
        for (; depth > 1; depth--)
            filter = new Filter { MustNot = [new NestedCondition("a", filter)] };
        return filter;
    }

    private static void Survives(WireCase sample, byte[] message)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            sample.Decode(message);
        }
        catch (GranaryException)
        {
            // The only exception a message may cause.
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64L * message.Length + 64 * 1024);
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var bytes = whole.ToList();
        for (var changes = random.Next(1, 4); changes > 0 && bytes.Count > 2; changes--)
        {
            // The envelope is left as it is: what is behind it is to be tried.
            var at = random.Next(2, bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 9)).Select(_ => (byte)random.Next(256)));
                    break;
                case 4:
                    bytes.InsertRange(at, [0xFF, 0xFF, 0xFF, 0xFF, (byte)random.Next(1, 256)]);
                    break;
                default:
                    bytes.InsertRange(at, bytes.Skip(at).Take(random.Next(1, 30)).ToArray());
                    break;
            }
        }

        return [.. bytes];
    }

    private sealed record StrangeLeg : Leg;

    private sealed record StrangeCondition : Condition;
}
