using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

/// <summary>Searches skip most groups of rows; what they find is bit-equal to scoring every document.</summary>
public sealed class TextSearchTests
{
    private const float K1 = 1.2f;
    private const float B = 0.75f;

    private static readonly TextFieldSchema Schema = new("body", "body")
    {
        Analyzer = new() { Tokenizer = "whitespace", Language = "none" },
    };

    [Theory]
    [InlineData(1, 700)]
    [InlineData(2, 12_000)]
    [InlineData(3, 30_000)]
    public void Hits_and_scores_are_those_of_scoring_every_document(int seed, int count)
    {
        var random = new Random(seed);
        var corpus = new Corpus(Schema);
        for (var i = 0; i < count; i++)
        {
            corpus.Add(Words(random));
            if (i * 10 % count == 0)
                corpus.AssertSearches(random, 8);
        }

        // A run of rows that fills whole chunks, then single ones, so that lists are swept and made anew.
        for (var slot = count / 4; slot < Math.Min(count / 2, (count / 4) + 9_000); slot++)
            corpus.Remove(slot);
        corpus.AssertSearches(random, 20);
        for (var i = 0; i < count / 8; i++)
            corpus.Remove(random.Next(count));
        corpus.AssertSearches(random, 20);
        for (var i = 0; i < count / 16; i++)
            corpus.Add(Words(random));
        corpus.AssertSearches(random, 40);
    }

    [Fact]
    public void Layouts_of_terms_that_were_not_asked_for_lately_are_given_up()
    {
        // Each term has enough postings to be laid out, far apart: all together they take twice what they may.
        const int Terms = 400;
        var field = new TextField(Schema, new EpochClock());
        var random = new Random(12);
        for (var slot = 0; slot < 80_000; slot++)
            field.Add([$"t{slot % Terms} t{random.Next(Terms)}"], slot);
        var expected = new List<SlotHit>?[Terms];
        long most = 0, one = 0;
        for (var i = 0; i < 4 * Terms; i++)
        {
            var term = i % 2 == 0 ? 7 : i / 2 % Terms;
            var hits = new List<SlotHit>();
            var all = default(AllSlots);
            field.Search($"t{term}", 20, null, ref all, hits);
            Assert.Equal(expected[term] ??= hits, hits);
            most = Math.Max(most, field.LayoutBytes);
            one = i == 0 ? most : one;
        }

        Assert.True(one * Terms > 2 * field.LayoutLimit, $"{Terms} of {one} bytes");
        Assert.InRange(most, field.LayoutLimit / 2, field.LayoutLimit);
    }

    [Fact]
    public void Bounds_hold_while_the_average_length_drifts()
    {
        var random = new Random(7);
        var corpus = new Corpus(Schema);
        for (var length = 1; length < 60; length++)
        {
            for (var i = 0; i < 120; i++)
                corpus.Add([.. Enumerable.Range(0, random.Next(1, 2 * length)).Select(_ => Word(random))]);
            corpus.AssertSearches(random, 2);
        }

        for (var i = 0; i < 3_000; i++)
            corpus.Add([Word(random)]);
        corpus.AssertSearches(random, 20);
    }

    [Fact]
    public void Frequencies_beyond_what_a_posting_holds_are_exact()
    {
        var random = new Random(8);
        var corpus = new Corpus(Schema);
        for (var i = 0; i < 400; i++)
        {
            int[] often = [1, 2, 200, 254, 255, 256, 5_000];
            corpus.Add([.. Enumerable.Repeat("w1", often[i % often.Length]), .. Words(random)]);
        }

        corpus.AssertSearch("w1", 100, _ => true);
        corpus.AssertSearch("w1 w2 w3", 400, _ => true);
    }

    [Fact]
    public void A_query_may_have_any_number_of_terms()
    {
        var random = new Random(10);
        var corpus = new Corpus(Schema);
        for (var i = 0; i < 300; i++)
            corpus.Add([.. Enumerable.Range(0, 60).Select(_ => "w" + random.Next(9_000))]);
        var all = string.Join(' ', Enumerable.Range(0, 9_000).Select(i => $"w{i}"));
        corpus.AssertSearch(all, 20, _ => true);
        corpus.AssertSearch(all, 20, _ => true, true);
    }

    [Fact]
    public void A_list_that_was_swept_and_grew_back_is_laid_out_anew()
    {
        var corpus = new Corpus(Schema);
        for (var i = 0; i < 100; i++)
            corpus.Add(["w1", "w" + (2 + (i % 9))]);
        corpus.AssertSearch("w1 w2", 100, _ => true);
        for (var i = 0; i < 50; i++)
            corpus.Remove(i);
        for (var i = 0; i < 50; i++)
        {
            corpus.Add(["w1", "w1", "w" + (2 + (i % 9))]);
            corpus.AssertSearch("w1 w2", 100, _ => true);
        }
    }

    [Fact]
    public void Known_counts_lead_to_the_same_hits_as_analysing_the_query()
    {
        var random = new Random(17);
        var field = new TextField(Schema, new EpochClock());
        for (var slot = 0; slot < 2_000; slot++)
            field.Add([string.Join(' ', Words(random))], slot);
        foreach (var length in new[] { 1, 7, 32, 33, 200 })
        {
            // Some terms are repeated, some unknown.
            string[] terms = [.. Enumerable.Range(0, length).Select(i => i % 5 == 4 ? "unknown" + i : Word(random))];
            var query = string.Join(' ', terms);
            var own = field.Statistics(query);
            var counts = new TermCounts(own.Documents, own.TotalLength, [.. terms.Select(t => own.Frequencies[t])]);
            var filter = new Chosen(_ => true);
            var (expected, hits) = (new List<SlotHit>(), new List<SlotHit>());
            field.Search(query, 50, null, ref filter, expected);
            Assert.True(field.TrySearch(50, new KnownCounts([.. terms], counts, counts), ref filter, hits));
            Assert.Equal(expected, hits);
            var stale = counts with { Frequencies = counts.Frequencies.SetItem(length - 1, counts.Frequencies[length - 1] + 1) };
            Assert.False(field.TrySearch(50, new KnownCounts([.. terms], counts, stale), ref filter, hits));
        }
    }

    [Fact]
    public void Long_queries_of_frequent_words_find_the_best_of_what_hardly_differs()
    {
        // Nearly every cell's bound is above the k-th score, and most rows lack most words; the last are in lists' unsealed ends.
        var random = new Random(13);
        var corpus = new Corpus(Schema);
        string[] Some(int least, int most) => [.. Enumerable.Range(0, random.Next(least, most)).Select(_ => "w" + random.Next(40))];
        for (var i = 0; i < 9_000; i++)
            corpus.Add(i % 100 == 0 ? [.. Some(3, 12), "rare" + (i % 7)] : Some(3, 12));
        foreach (var k in new[] { 1, 10, 100, 2_000 })
        {
            for (var round = 0; round < 4; round++)
            {
                corpus.AssertSearch(string.Join(' ', [.. Some(10, 30), "rare1"]), k, _ => true);
                corpus.AssertSearch(string.Join(' ', Some(10, 30)), k, slot => slot % 3 == 0);
                corpus.AssertSearch(string.Join(' ', Some(2, 4)), k, _ => true, true);
                corpus.AssertSearch(string.Join(' ', [.. Some(1, 3), "rare2"]), k, _ => true, true);
            }
        }
    }

    [Fact]
    public void A_filter_that_accepts_little_leaves_the_best_of_what_it_accepts()
    {
        var random = new Random(9);
        var corpus = new Corpus(Schema);
        for (var i = 0; i < 20_000; i++)
            corpus.Add(Words(random));
        foreach (var one in new[] { 2, 50, 2_000, 30_000 })
        {
            for (var round = 0; round < 5; round++)
                corpus.AssertSearch(string.Join(' ', Words(random)), 10, slot => slot % one == 1);
        }
    }

    private static string[] Words(Random random) => [.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => Word(random))];

    /// <summary>From a word in nearly every document to words in one.</summary>
    private static string Word(Random random) => "w" + (int)(4_000 * Math.Pow(random.NextDouble(), 6));

    private sealed class Corpus(TextFieldSchema schema)
    {
        private readonly TextField _field = new(schema, new EpochClock());
        private readonly List<Dictionary<string, int>?> _frequencies = [];
        private readonly List<int> _lengths = [];
        private readonly Dictionary<string, int> _documents = [];
        private long _count;
        private long _total;

        public void Add(string[] words)
        {
            var slot = _frequencies.Count;
            Assert.Equal(slot, _field.Add([string.Join(' ', words)], slot));
            var frequencies = words.GroupBy(word => word).ToDictionary(group => group.Key, group => group.Count());
            _frequencies.Add(frequencies);
            _lengths.Add(words.Length);
            Count(frequencies, words.Length, 1);
        }

        public void Remove(int slot)
        {
            if (_frequencies[slot] is not { } frequencies)
                return;
            _field.Forget(slot);
            _field.Remove(slot);
            Count(frequencies, _lengths[slot], -1);
            _frequencies[slot] = null;
        }

        public void AssertSearches(Random random, int count)
        {
            for (var i = 0; i < count; i++)
            {
                var words = Words(random);
                AssertSearch(string.Join(' ', words[..random.Next(1, words.Length + 1)]), random.Next(1, 120), _ => true);
                words = words[..random.Next(1, Math.Min(words.Length, 4) + 1)];
                AssertSearch(string.Join(' ', words), random.Next(1, 120), _ => true, true);
            }
        }

        public void AssertSearch(string query, int k, Func<int, bool> accepts, bool everyTerm = false)
        {
            var filter = new Chosen(accepts);
            var hits = new List<SlotHit>();
            _field.Search(query, k, null, ref filter, hits, everyTerm: everyTerm);
            var all = Score(query.Split(' '), everyTerm).ToList();
            var expected = all.Where(hit => accepts(hit.Slot))
                .OrderByDescending(hit => hit.Score).ThenBy(hit => hit.Slot).Take(k).ToList();
            Assert.Equal(expected, hits);

            // Documents scored by their numbers, through the layouts that are there by now.
            var scores = all.ToDictionary(hit => hit.Slot, hit => hit.Score);
            var count = _frequencies.Count;
            int[] docs = [.. Enumerable.Range(0, 60).Select(i => i * count / 60), .. scores.Keys.TakeLast(20), count];
            var found = new float[docs.Length];
            _field.ScoreDocs(query, null, docs, found, everyTerm);
            Assert.Equal(docs.Select(doc => scores.GetValueOrDefault(doc, float.NaN)), found);
        }

        /// <summary>The formula of the field, over plain lists: contributions are whole units, in any order.</summary>
        private IEnumerable<SlotHit> Score(string[] words, bool everyTerm)
        {
            var average = (double)_total / _count;
            double constant = K1 * (1.0 - B), slope = K1 * (double)B / average;
            var known = words.Where(_documents.ContainsKey).ToArray();
            var most = words.Length * Math.Max(Idf(0), 1) * (K1 + 1.0);
            var scale = Math.ScaleB(1, 51 - Math.ILogB(Math.Max(most, 1)));
            var weights = known.GroupBy(word => word)
                .ToDictionary(group => group.Key, group => group.Count() * Idf(_documents[group.Key]) * (K1 + 1.0) * scale);
            for (var slot = 0; slot < _frequencies.Count; slot++)
            {
                var sum = 0L;
                var any = false;
                foreach (var (word, weight) in weights)
                {
                    if (_frequencies[slot] is not { } frequencies || !frequencies.TryGetValue(word, out var frequency))
                        continue;
                    any = true;
                    sum += (long)Math.Floor(weight * (frequency / (frequency + (constant + (slope * _lengths[slot])))));
                }

                if (any && (!everyTerm || words.All(word => _frequencies[slot]!.ContainsKey(word))))
                    yield return new SlotHit(slot, (float)(sum / scale));
            }
        }

        private double Idf(long documents) => Math.Log(1 + ((_count - documents + 0.5) / (documents + 0.5)));

        private void Count(Dictionary<string, int> frequencies, int length, int sign)
        {
            _count += sign;
            _total += sign * length;
            foreach (var word in frequencies.Keys)
                _documents[word] = _documents.GetValueOrDefault(word) + sign;
        }
    }

    private readonly struct Chosen(Func<int, bool> accepts) : ISlotFilter
    {
        public bool TryAccept(ref int slot) => accepts(slot);

        public bool Precedes(int slot, int other) => slot < other;
    }
}
