using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

/// <summary>Where every row of a mask is said to be compared, what is found is what comparing the originals finds.</summary>
public sealed class FewRowsTests
{
    private const int Count = 2000;

    public static TheoryData<Distance, int, float, float> Cases()
    {
        var cases = new TheoryData<Distance, int, float, float>();
        foreach (var distance in Enum.GetValues<Distance>())
        {
            foreach (var size in new[] { 3, 32, 300 })
            {
                // Around 0; with an offset; with one so large that codes tell nothing apart; tiny; as large as norms may be.
                cases.Add(distance, size, 0, 1);
                cases.Add(distance, size, 30, 1);
                cases.Add(distance, size, 1000, 1);
                cases.Add(distance, size, 0, 1e-37f);
                cases.Add(distance, size, 0, 1e17f);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void FewRowsAreComparedExactly(Distance distance, int size, float offset, float spread)
    {
        var random = new Random(41);
        var vectors = Make(random, Count, size, offset, spread);

        // One value that dwarfs the others, duplicates and a zero vector.
        foreach (var vector in vectors.Take(Count / 4))
            vector[0] *= 50;
        vectors[7] = vectors[1900];
        vectors[8] = new float[size];
        var schema = new DenseVectorSchema("v", size, distance) { Hnsw = new HnswSettings { M = 4, EfConstruct = 8 } };
        using var field = new DenseField(schema, new EpochClock());
        for (var i = 0; i < Count; i++)
            field.Add(vectors[i], i);
        foreach (var step in new[] { 1, 3 })
        {
            var words = new ulong[(Count + 63) / 64];
            for (var i = 0; i < Count; i += step)
                words[i >> 6] |= 1UL << i;
            var mask = new RowMask(words, Count, step == 1);
            var filter = new Every(step);
            foreach (var k in new[] { 1, 10, 100 })
            {
                foreach (var query in Make(random, 10, size, offset, spread))
                {
                    var search = new DenseSearch(new DenseQuery(schema, query), k);
                    var expected = new List<SlotHit>();
                    field.SearchExact(search, ref filter, expected);
                    var hits = new List<SlotHit>();
                    field.Search(search with { Mask = mask, Way = MaskedWay.Exact }, ref filter, hits);
                    Assert.Equal(expected.OrderBy(h => (h.Score, h.Slot)), hits.OrderBy(h => (h.Score, h.Slot)));
                }
            }
        }
    }

    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Dot)]
    [InlineData(Distance.Euclid)]
    public void TheNearestAloneIsFoundAsSurelyAsTheNearestTen(Distance distance)
    {
        var random = new Random(5);
        var vectors = Make(random, Count, 32, 0, 1);

        // So many threads are interrupted often, between two levels of a row too, and rows must be found as well as if they were not.
        using var field = TestVectors.Field(vectors, distance, 8, hnsw: new HnswSettings { M = 16, EfConstruct = 60 });
        var all = default(Everything);
        var words = new ulong[(Count + 63) / 64];
        for (var i = 0; i < Count; i++)
            words[i >> 6] |= 1UL << i;
        var mask = new RowMask(words, Count, isExact: true);
        var (scanned, walked) = (0, 0);
        const int Queries = 3000;
        foreach (var query in Make(random, Queries, 32, 0, 1))
        {
            var search = new DenseSearch(new DenseQuery(field.Schema, query), 1);
            var (truth, scan, walk) = (new List<SlotHit>(), new List<SlotHit>(), new List<SlotHit>());
            field.SearchExact(search, ref all, truth);
            field.Search(search with { Mask = mask, Way = MaskedWay.Scan }, ref all, scan);
            field.Search(search with { Ef = 200 }, ref all, walk);
            scanned += scan[0].Slot == truth[0].Slot ? 1 : 0;
            walked += walk[0].Slot == truth[0].Slot ? 1 : 0;
        }

        Assert.True(scanned >= Queries - 1 && walked >= Queries - 1, $"{scanned} and {walked} of {Queries}");
    }

    private static float[][] Make(Random random, int count, int size, float offset, float spread) =>
        [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, size)
            .Select(_ => offset + (spread * (float)(random.NextDouble() - 0.5))).ToArray())];

    private readonly struct Every(int step) : ISlotFilter
    {
        public bool TryAccept(ref int slot) => slot % step == 0;
    }
}
