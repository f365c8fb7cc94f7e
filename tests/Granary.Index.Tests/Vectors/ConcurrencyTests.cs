using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class ConcurrencyTests
{
    private const int Size = 24;
    private const int Live = 3000;
    private const int SearchesEach = 400;

    // A slot's vector never changes, so a hit can be checked whenever it was found.
    private static readonly float[][] Vectors = TestVectors.Clustered(9001, Size, 51);

    private static readonly double[] Shares = [0.6, 0.33, 0.2, 0.08];
    private static readonly MaskedWay[] Ways = Enum.GetValues<MaskedWay>();

    [Fact]
    public async Task SearchesAreRightWhileRowsAreAddedLinkedAndRemoved()
    {
        var epochs = new EpochClock();
        using var field = TestVectors.Field(Vectors[..Live], Distance.Euclid, epochs: epochs);
        using var done = new CancellationTokenSource();
        var searchers = Enumerable.Range(0, 3).Select(i => OnThread(() => SearchMany(field, epochs, i))).ToArray();
        var linker = OnThread(() =>
        {
            while (!done.IsCancellationRequested)
                field.Link(100, 2, CancellationToken.None);
        });

        var rows = Enumerable.Range(0, Live).ToArray();
        for (var next = Live; searchers.Any(s => !s.IsCompleted) || next < Vectors.Length; next++)
        {
            field.Remove(rows[next % Live]);
            rows[next % Live] = field.Add(VectorOf(next), next);

            // What was added is found at once, linked or not.
            if (next % 97 == 0)
                Assert.Contains(TestVectors.Search(field, VectorOf(next), 3, default(Everything)), h => h.Slot == next && h.Score == 0);

            // The feed is bounded, as it is in a partition.
            while (field.Pending > 1000)
                Thread.Yield();
        }

        await done.CancelAsync();
        await linker;
        await Task.WhenAll(searchers);
        TestVectors.LinkAll(field);
        Assert.Equal(Live, field.Live);
        Assert.True(TestVectors.Recall(field, TestVectors.Clustered(50, Size, 52), 10, default(Everything)) >= 0.97);
    }

    private static RowMask MaskOf(int bound, double share, Random random)
    {
        var words = new ulong[(bound + 63) / 64];
        for (var row = 0; row < bound; row++)
        {
            if (random.NextDouble() < share)
                words[row >> 6] |= 1UL << row;
        }

        return new RowMask(words, bound, isExact: random.Next(2) == 0);
    }

    private static float[] VectorOf(int slot) => Vectors[slot % Vectors.Length];

    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static unsafe void SearchMany(DenseField field, EpochClock epochs, int seed)
    {
        var random = new Random(seed);
        var hits = new List<SlotHit>();
        var filter = default(Everything);
        for (var i = 0; i < SearchesEach; i++)
        {
            var ticket = epochs.Enter();
            var query = VectorOf(random.Next(Vectors.Length));
            hits.Clear();

            // Every way of walking: unfiltered, as if the filter took few, and among rows of a bitmap, of which more or less may be live.
            var mask = i % 3 == 2 ? MaskOf(field.RowCapacity, Shares[i % Shares.Length], random) : null;
            var search = new DenseSearch(new DenseQuery(field.Schema, query), 10)
            {
                Selectivity = i % 2,
                Mask = mask,
                Way = Ways[random.Next(Ways.Length)],
                Ef = i % 5 == 0 ? 20 : null,
            };
            field.Search(search, ref filter, hits);

            // A bitmap that is said to be exact may hold removed rows here, which take places.
            if (mask is { IsExact: false })
                Assert.True(hits.Count >= 10, $"{search.Way}: {hits.Count} hits of {mask.Count} rows");
            foreach (var hit in hits)
            {
                fixed (float* a = query)
                fixed (float* b = VectorOf(hit.Slot))
                    Assert.Equal(MathF.Sqrt(FloatKernels.SquaredEuclid(a, b, Size)), hit.Score);
            }

            Assert.Equal(hits.Count, hits.Select(h => h.Slot).Distinct().Count());
            epochs.Exit(ticket);
        }
    }
}
