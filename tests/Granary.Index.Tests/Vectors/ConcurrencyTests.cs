using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class ConcurrencyTests
{
    private const int Size = 24;
    private const int Start = 3000;
    private const int Changes = 12_000;

    [Fact]
    public async Task SearchesAreRightWhileRowsAreAddedLinkedAndRemoved()
    {
        // A slot's vector never changes, so a hit can be checked whenever it was found.
        var vectors = TestVectors.Clustered(Start + Changes, Size, 51);
        var epochs = new EpochClock();
        using var field = TestVectors.Field(vectors[..Start], Distance.Euclid, epochs: epochs);
        using var done = new CancellationTokenSource();
        var searchers = Enumerable.Range(0, 3).Select(i => Task.Run(() => SearchUntil(field, vectors, epochs, i, done.Token))).ToArray();
        var linker = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
                field.Link(100, 2, CancellationToken.None);
        });

        var rows = Enumerable.Range(0, Start).ToArray();
        for (var next = Start; next < vectors.Length; next++)
        {
            field.Remove(rows[next % Start]);
            rows[next % Start] = field.Add(vectors[next], next);

            // What was added is found at once, linked or not.
            if (next % 97 == 0)
                Assert.Contains(TestVectors.Search(field, vectors[next], 3, default(Everything)), h => h.Slot == next && h.Score == 0);
        }

        await done.CancelAsync();
        await linker;
        Assert.True((await Task.WhenAll(searchers)).Sum() > 0);
        TestVectors.LinkAll(field);
        Assert.True(TestVectors.Recall(field, TestVectors.Clustered(50, Size, 52), 10, default(Everything)) >= 0.97);
    }

    private static int SearchUntil(DenseField field, float[][] vectors, EpochClock epochs, int seed, CancellationToken done)
    {
        var random = new Random(seed);
        var count = 0;
        var hits = new List<SlotHit>();
        var filter = default(Everything);
        while (!done.IsCancellationRequested)
        {
            var ticket = epochs.Enter();
            var query = vectors[random.Next(vectors.Length)];
            hits.Clear();
            field.Search(new DenseSearch(new DenseQuery(field.Schema, query), 10) { Selectivity = random.Next(2) }, ref filter, hits);
            foreach (var hit in hits)
            {
                using var single = TestVectors.Field([vectors[hit.Slot]], Distance.Euclid);
                Assert.Equal(single.Score(new DenseQuery(single.Schema, query), 0), hit.Score);
            }

            Assert.Equal(hits.Count, hits.Select(h => h.Slot).Distinct().Count());
            epochs.Exit(ticket);
            count++;
        }

        return count;
    }
}
