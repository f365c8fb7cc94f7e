using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

public sealed class TextFieldTests
{
    private static readonly TextFieldSchema Schema = new("body", "body")
    {
        Analyzer = new() { Tokenizer = "whitespace", Language = "none" },
    };

    [Fact]
    public void Scores_follow_the_formula()
    {
        var field = new TextField(Schema, new EpochClock());
        field.Add(["cat cat dog"], 0);
        field.Add(["dog bird", "fish"], 1);
        field.Add(["cat"], 2);
        Assert.Equal(-1, field.Add(["  ", ""], 3));
        Assert.Equal(3, field.DocumentCount);
        Assert.Equal(7, field.TotalLength);

        var average = 7 / 3.0;
        var idf = Math.Log(1 + ((3 - 2 + 0.5) / (2 + 0.5)));
        var expected = idf * 2 * 2.2 / (2 + (1.2 * (0.25 + (0.75 * 3 / average))));
        var hits = Search(field, "cat", 10);
        Assert.Equal(2, hits.Count);
        Assert.Equal(expected, field.ScoreDoc("cat", null, 0)!.Value, 1e-6);
        Assert.Equal(2 * expected, field.ScoreDoc("cat cat", null, 0)!.Value, 1e-6);
        Assert.Null(field.ScoreDoc("cat", null, 1));
        Assert.Empty(Search(field, "elephant", 10));
        Assert.Empty(Search(field, "", 10));
    }

    [Theory]
    [InlineData(1, 400)]
    [InlineData(2, 3_000)]
    [InlineData(3, 9_000)]
    public void Searches_equal_an_exhaustive_scorer_through_changes(int seed, int operations)
    {
        var random = new Random(seed);
        var field = new TextField(Schema, new EpochClock());
        var model = new TextModel();
        for (var i = 0; i < operations; i++)
        {
            var choice = random.Next(10);
            if (choice < 7 || model.Docs.Count == 0)
            {
                var text = RandomText(random);
                var doc = field.Add([text], i);
                if (doc >= 0)
                    model.Docs[doc] = (i, text);
            }
            else
            {
                var doc = model.Docs.Keys.ElementAt(random.Next(model.Docs.Count));
                if (choice < 9)
                {
                    field.Forget(doc);
                    field.Remove(doc);
                    model.Docs.Remove(doc);
                }
                else
                {
                    field.Retarget(doc, i);
                    model.Docs[doc] = (i, model.Docs[doc].Text);
                }
            }

            if (i % 197 == 0 || i == operations - 1)
                AssertEqualSearch(field, model, random);
        }

        using var image = new MemoryStream();
        field.Save(image);
        image.WriteByte(7); // Something else follows in the stream.
        image.Position = 0;
        var loaded = TextField.Load(image, Schema, new EpochClock());
        Assert.Equal(7, image.ReadByte());
        Assert.Equal(field.DocumentCount, loaded.DocumentCount);
        Assert.Equal(field.TotalLength, loaded.TotalLength);
        // Numbers of removed documents are not kept.
        model.Docs = model.Docs.OrderBy(d => d.Key).Select((d, i) => (i, d.Value)).ToDictionary(d => d.i, d => d.Value);
        Assert.Equal(model.Docs.Count, loaded.DocumentCapacity);
        for (var round = 0; round < 10; round++)
            AssertEqualSearch(loaded, model, random);
        foreach (var doc in model.Docs.Keys.ToArray())
        {
            loaded.Forget(doc);
            loaded.Remove(doc);
        }

        Assert.Equal(0, loaded.DocumentCount);
        Assert.Equal(0, loaded.TotalLength);
        Assert.All(loaded.Statistics("w0 w1 w2").Frequencies, pair => Assert.Equal(0, pair.Value));
    }

    [Fact]
    public void Partitions_give_bit_equal_scores_with_shared_statistics()
    {
        var random = new Random(11);
        var whole = new TextField(Schema, new EpochClock());
        var parts = Enumerable.Range(0, 8).Select(_ => new TextField(Schema, new EpochClock())).ToArray();
        for (var i = 0; i < 3_000; i++)
        {
            var text = RandomText(random);
            whole.Add([text], i);
            parts[random.Next(8)].Add([text], i);
        }

        for (var round = 0; round < 50; round++)
        {
            var query = RandomText(random);
            var statistics = parts.Select(part => part.Statistics(query)).Aggregate((one, other) => one.Add(other));
            var expected = Search(whole, query, 25);
            var merged = parts.SelectMany(part => Search(part, query, 25, statistics))
                .OrderByDescending(hit => hit.Score).ThenBy(hit => hit.Slot).Take(25);
            Assert.Equal(expected, merged);
        }
    }

    [Fact]
    public void A_filter_is_asked_only_about_documents_that_would_be_among_the_best()
    {
        var random = new Random(5);
        var field = new TextField(Schema, new EpochClock());
        var model = new TextModel();
        for (var i = 0; i < 20_000; i++)
            model.Docs[field.Add(["w0 " + RandomText(random)], i)] = (i, string.Empty);
        var even = new SomeSlots([.. Enumerable.Range(0, 10_000).Select(i => 2 * i)]);
        var hits = new List<SlotHit>();
        field.Search("w0 w5 w30", 10, null, ref even, hits);
        Assert.Equal(10, hits.Count);
        Assert.All(hits, hit => Assert.Equal(0, hit.Slot % 2));
        Assert.InRange(even.Asked, 10, 5_000);
        var all = Search(field, "w0 w5 w30", int.MaxValue);
        Assert.Equal(20_000, all.Count);
        Assert.Equal(hits, all.Where(hit => hit.Slot % 2 == 0).Take(10));
    }

    [Fact]
    public void A_forgotten_document_leaves_the_statistics_and_stays_findable()
    {
        var field = new TextField(Schema, new EpochClock());
        var doc = field.Add(["cat dog"], 0);
        field.Add(["cat"], 1);
        field.Forget(doc);
        field.Forget(doc);
        Assert.Equal(1, field.DocumentCount);
        Assert.Equal(1, field.Statistics("cat").Frequencies["cat"]);
        Assert.Equal(2, Search(field, "cat", 10).Count);
        field.Remove(doc);
        field.Remove(doc);
        Assert.Single(Search(field, "cat", 10));
        Assert.Empty(Search(field, "dog", 10));
        Assert.Equal(-1, field.SlotOf(doc));
    }

    [Fact]
    public void Words_met_before_count_as_they_did_the_first_time()
    {
        var schema = new TextFieldSchema("body", "body");
        var field = new TextField(schema, new EpochClock());
        ITextAnalyzer analyzer = Analyzer.Create(schema.Analyzer);
        string[] words =
        [
            "running", "Running", "runs", "the", "THE", "don't", "don\u2019t", "caf\u00e9", "caf\u00e9s", "a", "A1", "internationalization",
            "internationalisations", "sixteen-and-more", "abcdefghijklmnop", "abcdefghijklmnopq", "ABCDEFGHIJKLMNOP",
        ];
        var random = new Random(5);
        var docs = new Dictionary<int, List<string>>();
        for (var i = 0; i < 3_000; i++)
        {
            // Enough other words that places are taken by turns.
            var text = string.Join(' ', Enumerable.Range(0, 12).Select(_ =>
                random.Next(2) == 0 ? words[random.Next(words.Length)] : Rare(random.Next(12_000))));
            var doc = field.Add([text], i);
            docs[doc] = Terms(text);

            // With the last document of a term the term goes.
            if (random.Next(2) == 0)
            {
                doc = docs.Keys.ElementAt(random.Next(docs.Count));
                field.Remove(doc);
                docs.Remove(doc);
            }
        }

        Assert.Equal(docs.Values.Sum(terms => terms.Count), field.TotalLength);
        var frequencies = docs.Values.SelectMany(terms => terms.Distinct()).GroupBy(term => term)
            .ToDictionary(group => group.Key, group => (long)group.Count());
        foreach (var word in words.Concat(Enumerable.Range(0, 12_000).Select(Rare)))
        {
            foreach (var (term, frequency) in field.Statistics(word).Frequencies)
                Assert.Equal(frequencies.GetValueOrDefault(term), frequency);
        }

        static string Rare(int number) => $"w{number}";

        List<string> Terms(string text)
        {
            var terms = new List<string>();
            analyzer.Analyze(text, terms);
            return terms;
        }
    }

    [Fact]
    public void Readers_need_no_locks_while_documents_come_and_go()
    {
        var field = new TextField(Schema, new EpochClock());
        using var stop = new CancellationTokenSource();
        var reader = new Thread(() =>
        {
            var random = new Random(3);
            while (!stop.IsCancellationRequested)
            {
                var hits = Search(field, "w0 w1 " + RandomText(random), 20);
                for (var i = 1; i < hits.Count; i++)
                    Assert.True(hits[i - 1].Score >= hits[i].Score);
            }
        });
        Exception? failure = null;
        AppDomain.CurrentDomain.FirstChanceException += (_, e) => failure ??= Thread.CurrentThread == reader ? e.Exception : null;
        reader.Start();
        var writer = new Random(4);
        var live = new Queue<int>();
        for (var i = 0; i < 20_000; i++)
        {
            var doc = field.Add([RandomText(writer)], i);
            live.Enqueue(doc);
            if (live.Count > 3_000)
            {
                field.Forget(live.Peek());
                field.Remove(live.Dequeue());
            }
        }

        stop.Cancel();
        reader.Join();
        Assert.Null(failure);
        Assert.Equal(live.Count, field.DocumentCount);
    }

    [Fact]
    public void A_damaged_image_is_refused_with_the_fields_name()
    {
        var field = new TextField(Schema, new EpochClock());
        var random = new Random(9);
        for (var i = 0; i < 300; i++)
            field.Add([RandomText(random)], i);
        using var image = new MemoryStream();
        field.Save(image);
        var bytes = image.ToArray();
        for (var cut = 0; cut < bytes.Length; cut += 97)
        {
            var error = Assert.Throws<GranaryException>(() => TextField.Load(new MemoryStream(bytes, 0, cut), Schema, new EpochClock()));
            Assert.Equal(ErrorKind.Corrupted, error.Kind);
            Assert.Contains("body", error.Message, StringComparison.Ordinal);
        }
    }

    private static void AssertEqualSearch(TextField field, TextModel model, Random random)
    {
        var query = RandomText(random);
        if (random.Next(4) == 0)
            query += " nowhere";
        var k = random.Next(1, 30);
        var expected = model.Search(query, k);
        var found = Search(field, query, k);
        Assert.Equal(expected.Select(hit => hit.Slot), found.Select(hit => hit.Slot));
        for (var i = 0; i < found.Count; i++)
            Assert.Equal(expected[i].Score, found[i].Score, 1e-4f);
        foreach (var (doc, score) in model.Score(query).Take(5))
        {
            var exact = field.ScoreDoc(query, null, doc);
            Assert.Equal(score > 0, exact.HasValue);
            Assert.Equal(score, exact ?? 0, 1e-4);
        }
    }

    private static List<SlotHit> Search(TextField field, string query, int k, TextStatistics? statistics = null)
    {
        var all = default(AllSlots);
        var hits = new List<SlotHit>();
        field.Search(query, k, statistics, ref all, hits);
        return hits;
    }

    /// <summary>Words drawn from a steep distribution, so that some lists are long and most are short.</summary>
    private static string RandomText(Random random) =>
        string.Join(' ', Enumerable.Range(0, random.Next(1, 12)).Select(_ => "w" + (int)(60 * Math.Pow(random.NextDouble(), 3))));

    /// <summary>Scores every document of a plain list.</summary>
    private sealed class TextModel
    {
        public Dictionary<int, (int Slot, string Text)> Docs { get; set; } = [];

        public List<SlotHit> Search(string query, int k)
        {
            var words = Docs.ToDictionary(doc => doc.Key, doc => doc.Value.Text.Split(' '));
            return
            [
                .. Score(query, words).Select(pair => new SlotHit(Docs[pair.Key].Slot, (float)pair.Value))
                    .Where(hit => hit.Score > 0)
                    .OrderByDescending(hit => hit.Score).ThenBy(hit => hit.Slot)
                    .Take(k),
            ];
        }

        public Dictionary<int, double> Score(string query) =>
            Score(query, Docs.ToDictionary(doc => doc.Key, doc => doc.Value.Text.Split(' ')));

        private static Dictionary<int, double> Score(string query, Dictionary<int, string[]> docs)
        {
            var average = docs.Values.Average(words => (double)words.Length);
            var scores = docs.Keys.ToDictionary(doc => doc, _ => 0.0);
            foreach (var term in query.Split(' '))
            {
                var counts = docs.Select(doc => (doc.Key, Tf: doc.Value.Count(word => word == term))).Where(pair => pair.Tf > 0).ToArray();
                var idf = Math.Log(1 + ((docs.Count - counts.Length + 0.5) / (counts.Length + 0.5)));
                foreach (var (doc, tf) in counts)
                    scores[doc] += idf * tf * (1.2f + 1.0) / (tf + (1.2f * (1 - 0.75 + (0.75 * docs[doc].Length / average))));
            }

            return scores;
        }
    }
}
