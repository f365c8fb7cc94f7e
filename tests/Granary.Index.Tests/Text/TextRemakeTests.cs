using Granary.Index.Memory;
using Granary.Index.Postings;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

/// <summary>A text field that is made anew piece by piece, driven by hand, while it is changed.</summary>
public sealed class TextRemakeTests
{
    private const int Least = 900;

    private static readonly TextFieldSchema Schema = new("body", "body")
    {
        Analyzer = new() { Tokenizer = "whitespace", Language = "none" },
    };

    [Theory]
    [InlineData(1, 1, "")]
    [InlineData(2, 40, "")]
    [InlineData(3, 129, "")]
    [InlineData(4, 700, "")]
    [InlineData(5, 6_000, "")]
    [InlineData(6, int.MaxValue, "")]
    [InlineData(7, 1, "random")]
    [InlineData(8, 129, "random")]
    [InlineData(9, 6_000, "found")]
    [InlineData(10, int.MaxValue, "random")]
    public void A_field_made_anew_while_it_is_changed_is_like_one_that_never_was(int seed, int piece, string order)
    {
        var random = new Random(seed);
        var both = new Both { FindOrder = Orders(order, random) };
        int taken = 0, meanwhile = 0, numbers = 0, most = 0;
        for (var i = 0; i < 14_000; i++)
        {
            if (both.Living < 800 || random.Next(100) < 42)
                both.Add(RandomText(random));
            else if (random.Next(3) > 0)
                both.Forget(random);
            else
                both.Retarget(random);
            if (random.Next(3) == 0)
                both.Remove(random.Next(4));
            numbers = Math.Max(numbers, both.Made.DocumentCapacity);
            most = Math.Max(most, both.Living);
            if (i % 5 == 0 && (both.Made.Remaking is not null || both.Made.IsSparse(Least)))
            {
                meanwhile++;
                if (both.Go(piece))
                {
                    taken++;
                    both.AssertEqual(random, 12);
                }
            }

            if (i % 211 == 0)
                both.AssertEqual(random, 3);
        }

        Assert.True(taken >= 2, $"{taken} times");
        Assert.True(piece > 1_000 || meanwhile > 10 * taken, $"{meanwhile} pieces for {taken}");
        Assert.InRange(numbers, Least, Least + (3 * most));
        both.AssertSaved();
    }

    [Fact]
    public void Writes_alone_make_it_anew()
    {
        var random = new Random(8);
        var both = new Both();
        for (var i = 0; i < 2_000; i++)
            both.Add(RandomText(random));
        for (var i = 0; i < 1_200; i++)
            both.Forget(random);

        // Begun; nothing but what comes with each document that is added is done.
        Assert.True(both.Made.IsSparse(1_000));
        Assert.False(both.Go(1));
        var added = 0;
        for (; !both.Go(1); added++)
        {
            both.Forget(random);
            both.Add(RandomText(random));
        }

        both.AssertEqual(random, 20);
        Assert.InRange(added, 50, 4_000);
        Assert.InRange(both.Made.DocumentCapacity, both.Made.DocumentCount, both.Made.DocumentCount + added);
        Assert.Null(both.Made.Remaking);
    }

    [Fact]
    public void A_field_may_lose_all_its_documents_while_it_is_made_anew()
    {
        var random = new Random(9);
        foreach (var pieces in new[] { 0, 1, 3, 10, 30, 60 })
        {
            var both = new Both();
            for (var i = 0; i < 900; i++)
                both.Add(RandomText(random));
            for (var i = 0; i < 500; i++)
                both.Forget(random);
            for (var i = 0; i < pieces; i++)
            {
                if (both.Go(100))
                    break;
            }

            while (both.Living > 0)
                both.Forget(random);
            both.Remove(int.MaxValue);
            Assert.True(both.Go(int.MaxValue));
            both.AssertEqual(random, 5);
            Assert.Equal((0, 0), (both.Made.DocumentCount, both.Made.TotalLength));
            for (var i = 0; i < 300; i++)
                both.Add(RandomText(random));
            both.AssertEqual(random, 20);
        }
    }

    [Fact]
    public void Its_bytes_are_counted_with_those_of_the_old_one()
    {
        var random = new Random(10);
        var both = new Both();
        for (var i = 0; i < 500; i++)
            both.Add(RandomText(random));
        var before = both.Made.Bytes;
        Assert.False(both.Go(600));
        Assert.InRange(both.Made.Bytes, before + 500, 4 * before);
        Assert.True(both.Go(int.MaxValue));
        Assert.InRange(both.Made.Bytes, 1, 2 * before);
    }

    [Fact]
    public void What_stands_in_an_order_is_known_and_kept()
    {
        var random = new Random(11);
        var both = new Both { FindOrder = Orders("found", random) };
        for (var i = 0; i < 1_000; i++)
            both.Add(RandomText(random));
        Assert.False(both.Made.IsUnordered(1_001));
        Assert.True(both.Made.IsUnordered(1_000));
        Assert.True(both.Go(int.MaxValue));
        both.AssertEqual(random, 20);
        Assert.False(both.Made.IsUnordered(1_000));
        Assert.Null(both.Made.Order);

        // Half as many more are none that need one, as many more are.
        for (var i = 0; i < 999; i++)
            both.Add(RandomText(random));
        Assert.False(both.Made.IsUnordered(1_000));
        both.Add(RandomText(random));
        Assert.True(both.Made.IsUnordered(1_000));

        // An image says it, also of those numbers that it leaves out.
        for (var i = 0; i < 10; i++)
            both.Forget(0);
        both.Remove(10);
        both.AssertSaved();
        Assert.True(both.Saved().IsUnordered(1_000));
        for (var i = 0; i < 500; i++)
            both.Forget(both.Living - 1);
        both.Remove(500);
        Assert.False(both.Saved().IsUnordered(1_000));

        // What is made anew for what is gone keeps the order of the rest.
        both.FindOrder = null;
        Assert.True(both.Go(int.MaxValue));
        both.AssertEqual(random, 20);
        Assert.False(both.Made.IsUnordered(1_000));
        both.Made.TakeAsOrdered();
        Assert.False(both.Made.IsUnordered(1));
    }

    [Fact]
    public void An_image_of_version_1_says_nothing_of_an_order()
    {
        // One document of slot 5, with one term.
        using var image = new MemoryStream();
        var writer = new FrameWriter(image);
        writer.WriteNumber(0x54585447);
        writer.WriteNumber(1);
        writer.WriteLong(1);
        writer.WriteLong(1);
        writer.WriteNumber(1);
        writer.WriteSigned(5);
        writer.WriteNumber(1);
        writer.WriteNumber(0);
        writer.WriteBytes([0]);
        writer.WriteNumber(1);
        writer.WriteString("night");
        var postings = new PostingList();
        postings.Append(0, 1, NoBounds.Instance);
        PostingStorage.Write(writer, postings, 1, 1);
        writer.End();
        image.Position = 0;
        var field = TextField.Load(image, Schema, new EpochClock());
        Assert.Equal((1, 5), (field.DocumentCount, field.SlotOf(0)));
        Assert.Equal(1, field.Statistics("night").Frequencies["night"]);
        Assert.True(field.IsUnordered(1));
    }

    [Fact]
    public void Like_documents_stand_together()
    {
        var both = new Both { FindOrder = field => field.FindOrder(CancellationToken.None) };
        for (var i = 0; i < 2_000; i++)
            both.Add($"a{i % 8} b{i % 8} c{i % 8} d{i % 8} once{i}");
        Assert.True(both.Go(int.MaxValue));
        var topics = Enumerable.Range(0, both.Made.DocumentCapacity).Select(doc => both.Made.SlotOf(doc) % 8).ToArray();
        var together = topics.Zip(topics.Skip(1)).Count(pair => pair.First == pair.Second);
        Assert.InRange(together, 1_900, 1_999);
    }

    private static Func<TextField, int[]>? Orders(string kind, Random random) => kind switch
    {
        "random" => field =>
        {
            var order = Enumerable.Range(0, field.DocumentCapacity).ToArray();
            random.Shuffle(order);
            return order;
        }
        ,
        "found" => field => field.FindOrder(CancellationToken.None),
        _ => null,
    };

    /// <summary>Words of a steep distribution, so that some lists are long and most are short; one is in all, some come once.</summary>
    private static string RandomText(Random random) => string.Join(
        ' ',
        Enumerable.Range(0, random.Next(1, 9)).Select(_ => "w" + (int)(90 * Math.Pow(random.NextDouble(), 3)))
            .Append("all").Append($"once{random.Next(1 << 20)}").Append($"seldom{random.Next(400)}"));

    /// <summary>Two fields with the same documents, by slot: one is made anew, the other never.</summary>
    private sealed class Both
    {
        private readonly TextField _other = new(Schema, new EpochClock());
        private readonly List<(int Slot, int Made, int Other)> _living = [];

        // What is gone keeps its number until no reader is left; in a field made anew since it has none.
        private readonly Queue<(int Made, int Other)> _gone = new();
        private int _slots;

        public TextField Made { get; private set; } = new(Schema, new EpochClock());

        public int Living => _living.Count;

        /// <summary>The order in which it is made anew; null for none.</summary>
        public Func<TextField, int[]>? FindOrder { get; set; }

        public void Add(string text)
        {
            var slot = _slots++;
            _living.Add((slot, Made.Add([text], slot), _other.Add([text], slot)));
        }

        public void Retarget(Random random)
        {
            var at = random.Next(_living.Count);
            var (_, made, other) = _living[at];
            var slot = _slots++;
            Made.Retarget(made, slot);
            _other.Retarget(other, slot);
            _living[at] = (slot, made, other);
        }

        public void Forget(Random random) => Forget(random.Next(_living.Count));

        public void Forget(int at)
        {
            var (_, made, other) = _living[at];
            _living.RemoveAt(at);
            Made.Forget(made);
            _other.Forget(other);
            _gone.Enqueue((made, other));
        }

        public void Remove(int most)
        {
            for (; most > 0 && _gone.TryDequeue(out var gone); most--)
            {
                Made.Remove(gone.Made);
                _other.Remove(gone.Other);
            }
        }

        public bool Go(int work)
        {
            if (Made.Remaking is null)
                Made.Order = FindOrder?.Invoke(Made);
            var remake = Made.MakeAnew(new EpochClock());
            if (!remake.Go(ref work))
                return false;
            for (var i = 0; i < _living.Count; i++)
                _living[i] = _living[i] with { Made = remake.NumberOf(_living[i].Made) };
            for (var left = _gone.Count; left > 0; left--)
            {
                var (made, other) = _gone.Dequeue();
                Assert.Equal(-1, remake.NumberOf(made));
                _gone.Enqueue((-1, other));
            }

            remake.Finish();
            Made = remake.Field;
            Assert.Equal(_living.Count, Made.DocumentCount);
            foreach (var (slot, made, _) in _living)
                Assert.Equal(slot, Made.SlotOf(made));
            return true;
        }

        public void AssertEqual(Random random, int queries) => AssertEqual(Made, random, queries);

        public void AssertSaved() => AssertEqual(Saved(), new Random(1), 30);

        public TextField Saved()
        {
            using var image = new MemoryStream();
            Made.Save(image);
            image.Position = 0;
            return TextField.Load(image, Schema, new EpochClock());
        }

        private void AssertEqual(TextField made, Random random, int queries)
        {
            Assert.Equal((_other.DocumentCount, _other.TotalLength), (made.DocumentCount, made.TotalLength));
            var slots = _living.Select(l => l.Slot).ToHashSet();
            for (var i = 0; i < queries; i++)
            {
                var query = RandomText(random);
                Assert.Equal(Frequencies(_other, query), Frequencies(made, query));
                foreach (var k in new[] { 5, int.MaxValue })
                    Assert.Equal(Search(_other, query, k, slots), Search(made, query, k, slots));
            }
        }

        private static IEnumerable<KeyValuePair<string, long>> Frequencies(TextField field, string query) =>
            field.Statistics(query).Frequencies.OrderBy(f => f.Key, StringComparer.Ordinal);

        private static List<SlotHit> Search(TextField field, string query, int k, HashSet<int> slots)
        {
            var living = new SomeSlots(slots);
            var hits = new List<SlotHit>();
            field.Search(query, k, null, ref living, hits);
            return hits;
        }
    }
}
