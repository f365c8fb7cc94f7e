using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

/// <summary>
/// Partitions that share the k-th best score found so far answer as they do without: what they leave out is not among the k best.
/// </summary>
public sealed class ScoreFloorTests
{
    private static readonly TextFieldSchema Schema = new("body", "body")
    {
        Analyzer = new() { Tokenizer = "whitespace", Language = "none" },
    };

    [Fact]
    public void It_is_the_k_th_best_score_told_of()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var k = random.Next(1, 40);
            var floor = new ScoreFloor(k);
            var told = new List<float>();
            for (var i = 0; i < 100; i++)
            {
                told.Add(random.Next(60) / 4f);
                floor.Offer(told[^1]);
                Assert.Equal(told.Count < k ? float.NegativeInfinity : told.OrderDescending().ElementAt(k - 1), floor.Value);
            }
        }
    }

    [Fact]
    public void It_is_what_it_was_raised_to_until_k_better_ones_are_found()
    {
        var floor = new ScoreFloor(2);
        floor.Offer(5);
        floor.Raise(3);
        floor.Raise(2);
        floor.Raise(float.NaN);
        Assert.Equal(3, floor.Value);
        floor.Offer(3);
        floor.Offer(2);
        Assert.Equal(3, floor.Value);
        floor.Offer(4);
        Assert.Equal(4, floor.Value);
    }

    [Fact]
    public void Nothing_is_of_interest_where_nothing_is_wanted() => Assert.Equal(float.PositiveInfinity, new ScoreFloor(0).Value);

    [Fact]
    public void Tellers_side_by_side_lose_nothing()
    {
        var floor = new ScoreFloor(100);
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < 5_000; i++)
                floor.Offer((i * 8) + thread);
        });
        Assert.Equal(39_900, floor.Value);
    }

    [Theory]
    [InlineData(1, 2, 900, 4_000)]
    [InlineData(2, 8, 12_000, 4_000)]
    [InlineData(3, 5, 25_000, 4_000)]
    [InlineData(4, 3, 6_000, 3)] // Nearly all scores are equal to many others.
    [InlineData(5, 8, 20_000, 12)]
    public void Hits_are_those_of_searches_without_it(int seed, int partitions, int documents, int vocabulary)
    {
        var random = new Random(seed);
        var fields = Enumerable.Range(0, partitions).Select(_ => new TextField(Schema, new EpochClock())).ToArray();
        var places = new List<(TextField Field, int Doc)>();
        for (var id = 0; id < documents; id++)
        {
            var field = fields[random.Next(partitions)];
            places.Add((field, field.Add([Words(random, vocabulary, 14)], id)));
        }

        for (var i = 0; i < documents / 5; i++)
        {
            var at = random.Next(places.Count);
            places[at].Field.Forget(places[at].Doc);
            places[at].Field.Remove(places[at].Doc);
            places.RemoveAt(at);
        }

        for (var round = 0; round < 60; round++)
        {
            var query = Words(random, vocabulary, round % 3 == 0 ? 4 : 20);
            var one = random.Next(4) == 0 ? random.Next(2, 200) : 1;
            var (k, limit, everyTerm) = (random.Next(1, 60), random.Next(1, 60), random.Next(3) == 0);
            AssertAlike(fields, query, k, k, one, everyTerm, round % 2 == 0);
            AssertAlike(fields, query, k, limit, one, everyTerm, round % 2 == 0);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Others_begin_before_all_was_refused(bool everyTerm)
    {
        // A filter that accepts nothing, and may be dear, is asked about every match; the others need not wait for that.
        var random = new Random(11);
        var field = new TextField(Schema, new EpochClock());
        for (var id = 0; id < 20_000; id++)
            field.Add([$"w1 w2 {Words(random, 500, 30)}"], id);
        var asked = new int[1];
        var (passes, before) = (0, 0);
        var floor = new ScoreFloor(10);
        floor.WhenPassed(() => (passes, before) = (passes + 1, asked[0]));
        var filter = new Nothing(asked);
        var hits = new List<SlotHit>();
        field.Search("w1 w2", 10, null, ref filter, hits, default, everyTerm, floor);
        Assert.Empty(hits);
        Assert.Equal((1, 20_000), (passes, asked[0]));
        Assert.InRange(before, 1, 10_000);
    }

    private static void AssertAlike(TextField[] fields, string query, int k, int limit, int one, bool everyTerm, bool inTurn)
    {
        var statistics = fields.Select(f => f.Statistics(query)).Aggregate((a, b) => a.Add(b));
        var floor = new ScoreFloor(k);
        var expected = fields.Select(f => Search(f, null)).ToArray();
        var actual = new List<SlotHit>[fields.Length];
        if (inTurn)
        {
            for (var p = 0; p < fields.Length; p++)
                actual[p] = Search(fields[p], floor);
        }
        else
        {
            Parallel.For(0, fields.Length, p => actual[p] = Search(fields[p], floor));
        }

        // Each partition has all it had that is not below the floor, and nothing it had not.
        for (var p = 0; p < fields.Length; p++)
        {
            Assert.Equal(expected[p].Where(h => h.Score >= floor.Value), actual[p].Where(h => h.Score >= floor.Value));
            var best = expected[p].ToHashSet();
            Assert.All(actual[p], h => Assert.True(best.Contains(h) || h.Score < floor.Value));
        }

        if (limit < k)
            return;
        var merged = Best(expected, k);
        Assert.Equal(merged, Best(actual, k));
        Assert.Equal(merged.Count < k ? float.NegativeInfinity : merged[^1].Score, floor.Value);

        List<SlotHit> Search(TextField field, ScoreFloor? shared)
        {
            var filter = new EachOf(one);
            var hits = new List<SlotHit>();
            field.Search(query, limit, statistics, ref filter, hits, default, everyTerm, shared);
            return hits;
        }
    }

    private static List<SlotHit> Best(List<SlotHit>[] parts, int k) =>
        [.. parts.SelectMany(p => p).OrderByDescending(h => h.Score).ThenBy(h => h.Slot).Take(k)];

    private static string Words(Random random, int vocabulary, int most) => string.Join(
        ' ', Enumerable.Range(0, random.Next(1, most)).Select(_ => "w" + (int)(vocabulary * Math.Pow(random.NextDouble(), 6))));

    private readonly struct Nothing(int[] asked) : ISlotFilter
    {
        public bool TryAccept(ref int slot) => asked[0]++ < 0;

        public bool Precedes(int slot, int other) => slot < other;
    }

    private readonly struct EachOf(int one) : ISlotFilter
    {
        public bool TryAccept(ref int slot) => slot % one == 0;

        public bool Precedes(int slot, int other) => slot < other;
    }
}
