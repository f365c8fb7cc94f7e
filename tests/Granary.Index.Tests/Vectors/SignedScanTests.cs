using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class SignedScanTests
{
    private const int Size = 192;
    private const int Count = 2500;
    private const int K = 10;
    private static readonly float[][] Base = TestVectors.Clustered(Count * 5, Size, 61);
    private static readonly float[][] Queries = TestVectors.Clustered(20, Size, 62);

    [Theory]
    [InlineData(Distance.Cosine, VectorStorage.Float32WithCodes)]
    [InlineData(Distance.Dot, VectorStorage.Float32WithCodes)]
    [InlineData(Distance.Euclid, VectorStorage.Float32WithCodes)]
    [InlineData(Distance.Cosine, VectorStorage.Int8)]
    public void ScansFindTheNearestBySigns(Distance distance, VectorStorage storage)
    {
        using var field = Field(distance, storage, Count);
        MakeSigns(field, Count);
        Assert.True(Recall(field, EveryOther(Count)) >= 0.98);

        // Rows that are taken again, and rows that came since.
        for (var i = 0; i < Count; i += 3)
            field.Remove(i);
        field.Link(int.MaxValue, 1, CancellationToken.None);
        for (var i = Count; i < Count + 1200; i++)
            field.Add(Base[i], i);
        Assert.True(Recall(field, EveryOther(field.RowCapacity)) >= 0.98);
        for (var row = 0; row < field.RowCapacity; row += 2)
        {
            var slot = field.SlotOf(row);
            if (slot < Count)
                continue;
            var own = field.Score(new DenseQuery(field.Schema, Base[slot]), row);
            var best = Search(field, Base[slot], EveryOther(field.RowCapacity), 1)[0];
            Assert.True(best.Slot == slot || (distance.HigherIsNearer() ? best.Score >= own : best.Score <= own), $"{best} for {own}");
        }
    }

    // What lies in few dimensions, and what is far from the origin, so that its codes are coarse.
    [Theory]
    [InlineData(Distance.Euclid, 4096, 64, 0)]
    [InlineData(Distance.Cosine, 4096, 16, 0)]
    [InlineData(Distance.Dot, 1000, 64, 0)]
    [InlineData(Distance.Dot, 1000, 1000, 100)]
    [InlineData(Distance.Dot, 200, 200, 100)]
    [InlineData(Distance.Euclid, 200, 200, 100)]
    public void SignsLoseNothingThatCodesFind(Distance distance, int size, int used, float offset)
    {
        const int Rows = 1024;
        var away = TestVectors.Normal(1, used, 5)[0];
        var vectors = TestVectors.Normal(Rows + 7, used, 6)
            .Select(v => v.Zip(away, (x, y) => x + (y * offset)).Concat(new float[size - used]).ToArray()).ToArray();
        using var field = new DenseField(new DenseVectorSchema("v", size, distance), new EpochClock());
        for (var i = 0; i < Rows; i++)
            field.Add(vectors[i], i);
        var mask = All(Rows);
        var codes = vectors[Rows..].Select(query => Search(field, query, mask, K)).ToArray();
        Assert.Equal(0, field.SignBytes);
        for (var i = 0; i < 20; i++)
            Search(field, vectors[i], mask, K);
        if (SignCode.Serves(size))
            Assert.Equal(Rows * SignCode.Stride(size), field.SignBytes);
        var signs = vectors[Rows..].Select(query => Search(field, query, mask, K)).ToArray();
        var lost = codes.Zip(signs, (before, after) => before.Except(after).Count()).Sum();
        Assert.True(lost <= 1, $"{lost}");
    }

    [Fact]
    public void ASearchOverManyRowsMakesAFewOfThemOnly()
    {
        const int Rows = 24 * 1024;
        var schema = new DenseVectorSchema("v", Size, Distance.Dot);
        using var field = new DenseField(schema, new EpochClock());
        for (var i = 0; i < Rows; i++)
            field.Add(Base[i % Base.Length], i);
        var mask = All(Rows);
        for (var i = 0; i < 7; i++)
            Search(field, Queries[i], mask, K);
        Assert.Equal(0, field.SignBytes);
        for (var i = 1; i <= 3; i++)
        {
            Search(field, Queries[i], mask, K);
            if (SignCode.Serves(Size))
                Assert.Equal(i * 4 * 512 * SignCode.Stride(Size), field.SignBytes);
        }
    }

    [Fact]
    public void AFieldThatHasGrownGetsAnotherCentre()
    {
        using var field = Field(Distance.Euclid, VectorStorage.Float32WithCodes, Count);
        MakeSigns(field, Count);
        for (var i = Count; i < Base.Length; i++)
            field.Add([.. Base[i].Select(v => v + 30)], i);
        var mask = EveryOther(Base.Length);
        for (var i = 0; i < 100; i++)
            Search(field, [.. Queries[i % Queries.Length].Select(v => v + 30)], mask, K);
        if (SignCode.Serves(Size))
            Assert.InRange(field.SignBytes, Base.Length * SignCode.Stride(Size) * 9L / 10, Base.Length * (long)SignCode.Stride(Size));
        Assert.True(Recall(field, mask) >= 0.98);
    }

    [Fact]
    public void AMaskThatIsNotExactIsAskedAbout()
    {
        using var field = Field(Distance.Cosine, VectorStorage.Float32WithCodes, Count);
        MakeSigns(field, Count);
        var mask = EveryOther(Count, exact: false);
        foreach (var query in Queries)
        {
            foreach (var step in new[] { 4, 600 })
            {
                var some = new Every(step);
                var (truth, hits) = (new List<SlotHit>(), new List<SlotHit>());
                var search = new DenseSearch(new DenseQuery(field.Schema, query), K) { Mask = mask, Way = MaskedWay.Scan };
                field.SearchExact(search with { Mask = null }, ref some, truth);
                field.Search(search, ref some, hits);
                Assert.Equal(truth.Count, hits.Count);
                Assert.All(hits, h => Assert.Equal(0, h.Slot % step));
            }
        }
    }

    [Fact]
    public async Task SearchesAreRightWhileRowsAreTakenAgainAndSignsAreMade()
    {
        var epochs = new EpochClock();
        using var field = Field(Distance.Euclid, VectorStorage.Float32WithCodes, Count, epochs);
        var searchers = Enumerable.Range(0, 3).Select(seed => Task.Factory.StartNew(
            () => SearchMany(field, epochs, seed), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            .ToArray();
        var rows = Enumerable.Range(0, Count).ToArray();
        for (var next = Count; searchers.Any(s => !s.IsCompleted) || next < 2 * Count; next++)
        {
            field.Remove(rows[next % Count]);
            var ticket = epochs.Enter();
            var row = rows[next % Count] = field.Add(Base[next % Base.Length], next);
            if (next % 50 == 0)
                Assert.Equal(next, Search(field, Base[next % Base.Length], All(field.RowCapacity), 1)[0].Slot);
            epochs.Exit(ticket);
            Assert.Equal(next, field.SlotOf(row));
            if (field.Pending > 500)
                field.Link(int.MaxValue, 1, CancellationToken.None);
        }

        await Task.WhenAll(searchers);
        Assert.True(Recall(field, All(field.RowCapacity)) >= 0.98);
    }

    private static void SearchMany(DenseField field, EpochClock epochs, int seed)
    {
        for (var i = 0; i < 300; i++)
        {
            var ticket = epochs.Enter();
            try
            {
                var hits = Search(field, Queries[(i + seed) % Queries.Length], All(field.RowCapacity), K);
                var query = new DenseQuery(field.Schema, Queries[(i + seed) % Queries.Length]);
                Assert.Equal(hits.OrderBy(h => h.Score).Select(h => h.Score), hits.Select(h => h.Score));
                foreach (var hit in hits)
                    Assert.Equal(DistanceOf(query, Base[hit.Slot % Base.Length]), hit.Score, 1e-3f);
            }
            finally
            {
                epochs.Exit(ticket);
            }
        }
    }

    private static float DistanceOf(DenseQuery query, float[] vector)
    {
        var sum = 0.0;
        for (var i = 0; i < Size; i++)
            sum += Math.Pow(query.Values[i] - (double)vector[i], 2);
        return (float)Math.Sqrt(sum);
    }

    private static DenseField Field(Distance distance, VectorStorage storage, int count, EpochClock? epochs = null)
    {
        // Without a graph nothing is scanned on codes.
        var schema = new DenseVectorSchema("v", Size, distance) { Storage = storage, Hnsw = new HnswSettings { M = 4, EfConstruct = 8 } };
        var field = new DenseField(schema, epochs ?? new EpochClock());
        for (var i = 0; i < count; i++)
            field.Add(Base[i], i);
        TestVectors.LinkAll(field);
        return field;
    }

    // As many scans as it takes, and some more in which the chunks are made one by one.
    private static void MakeSigns(DenseField field, int count)
    {
        var mask = EveryOther(count);
        for (var i = 0; i < 40; i++)
            Search(field, Queries[i % Queries.Length], mask, K);
        if (SignCode.Serves(Size))
            Assert.Equal(count / 512 * 512 * SignCode.Stride(Size), field.SignBytes);
    }

    private static double Recall(DenseField field, RowMask mask)
    {
        var (found, wanted) = (0, 0);
        foreach (var query in Queries)
        {
            var inside = Enumerable.Range(0, mask.Bound).Where(mask.Test).Select(field.SlotOf).Where(s => s >= 0).ToHashSet();
            var truth = TestVectors.Exact(field, query, K, new Only(inside)).Select(h => h.Slot).ToHashSet();
            found += Search(field, query, mask, K).Count(h => truth.Contains(h.Slot));
            wanted += truth.Count;
        }

        return (double)found / wanted;
    }

    private static List<SlotHit> Search(DenseField field, float[] query, RowMask mask, int k)
    {
        var hits = new List<SlotHit>();
        var all = default(Everything);
        field.Search(new DenseSearch(new DenseQuery(field.Schema, query), k) { Mask = mask, Way = MaskedWay.Scan }, ref all, hits);
        return hits;
    }

    private static RowMask EveryOther(int count, bool exact = true) => Mask(count, 0x5555_5555_5555_5555, exact);

    private static RowMask All(int count) => Mask(count, ulong.MaxValue, exact: false);

    private static RowMask Mask(int count, ulong pattern, bool exact)
    {
        var words = new ulong[(count + 63) / 64];
        Array.Fill(words, pattern);
        if (count % 64 != 0)
            words[^1] &= (1UL << (count % 64)) - 1;
        return new RowMask(words, count, exact);
    }

    private readonly struct Every(int step) : ISlotFilter
    {
        public bool TryAccept(ref int slot) => slot % step == 0;
    }
}
