using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class MaskTests
{
    private const int Count = 6000;
    private const int Size = 24;
    private const int K = 10;
    private static readonly float[][] Base = TestVectors.Clustered(Count, Size, 31);
    private static readonly float[][] Queries = TestVectors.Clustered(30, Size, 32);
    private static readonly Lazy<DenseField> Cosine = new(() => TestVectors.Field(Base, Distance.Cosine));

    public static TheoryData<string, double> Cases()
    {
        var cases = new TheoryData<string, double>();
        foreach (var way in Enum.GetNames<MaskedWay>())
        {
            foreach (var share in new[] { 0.9, 0.5, 0.35, 0.2, 0.12, 0.05 })
                cases.Add(way, share);
        }

        // Among so few rows there is nothing to walk on.
        cases.Add(nameof(MaskedWay.Cheapest), 0.004);
        cases.Add(nameof(MaskedWay.Scan), 0.004);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EachWayFindsTheNearestOfTheMask(string way, double share)
    {
        var random = new Random(33);
        var inside = Enumerable.Range(0, Count).Where(_ => random.NextDouble() < share).ToHashSet();
        Assert.True(Recall(Cosine.Value, inside, Enum.Parse<MaskedWay>(way), Queries) >= 0.95);
    }

    [Theory]
    [InlineData(0.9, 20)]
    [InlineData(0.5, 20)]
    [InlineData(0.35, 20)]
    [InlineData(0.2, 20)]
    [InlineData(0.12, 20)]
    [InlineData(0.05, 40)]
    public void WalksFindTheNearestWithoutAScanAfterThem(double share, int ef)
    {
        // A scan asks whether it is still wanted, and a walk does not.
        using var ended = new CancellationTokenSource();
        ended.Cancel();
        var random = new Random(34);
        var inside = Enumerable.Range(0, Count).Where(_ => random.NextDouble() < share).ToHashSet();
        var mask = Mask(inside, exact: true);
        var (walked, found) = (0, 0);
        foreach (var query in Queries)
        {
            var truth = TestVectors.Exact(Cosine.Value, query, K, new Only(inside)).Select(h => h.Slot).ToHashSet();
            var hits = new List<SlotHit>();
            var filter = new Only(inside);
            try
            {
                var search = new DenseSearch(new DenseQuery(Cosine.Value.Schema, query), K)
                {
                    Mask = mask,
                    Way = MaskedWay.Walk,
                    Ef = ef,
                    Cancellation = ended.Token,
                };
                Cosine.Value.Search(search, ref filter, hits);
                walked++;
                found += hits.Count(h => truth.Contains(h.Slot));
            }
            catch (OperationCanceledException)
            {
            }
        }

        Assert.True(walked >= Queries.Length * 0.7, $"{walked} of {Queries.Length} were answered by the walk");
        Assert.True(found >= walked * K * 0.8, $"recall {(double)found / (walked * K)}");
    }

    [Theory]
    [InlineData(0.3, true)]
    [InlineData(0.05, true)]
    [InlineData(0.3, false)]
    [InlineData(0.05, false)]
    public void MasksThatFollowTheVectorsKeepTheirRecall(double share, bool nearest)
    {
        foreach (var way in Enum.GetValues<MaskedWay>())
        {
            var recall = Queries.Take(10).Average(query =>
            {
                var all = TestVectors.Exact(Cosine.Value, query, Count, default(Everything)).Select(h => h.Slot);
                var inside = (nearest ? all : all.Reverse()).Take((int)(Count * share)).ToHashSet();
                return Recall(Cosine.Value, inside, way, [query]);
            });
            Assert.True(recall >= 0.9, $"{way}: {recall}");
        }
    }

    [Theory]
    [InlineData(Distance.Euclid, VectorStorage.Float32WithCodes, 16)]
    [InlineData(Distance.Dot, VectorStorage.Float32, 16)]
    [InlineData(Distance.Manhattan, VectorStorage.Float32WithCodes, 16)]
    [InlineData(Distance.Cosine, VectorStorage.Float32WithCodes, 0)]
    [InlineData(Distance.Cosine, VectorStorage.Int8, 16)]
    public void EveryKindOfFieldIsSearchedUnderAMask(Distance distance, VectorStorage storage, int m)
    {
        var schema = new DenseVectorSchema("v", Size, distance) { Storage = storage, Hnsw = new HnswSettings { M = m, EfConstruct = 60 } };
        using var field = new DenseField(schema, new EpochClock());
        for (var i = 0; i < 3000; i++)
            field.Add(Base[i], i);
        TestVectors.LinkAll(field);
        foreach (var one in new[] { 2, 3, 7 })
        {
            var inside = Enumerable.Range(0, 3000).Where(i => i % one == 0).ToHashSet();
            foreach (var way in Enum.GetValues<MaskedWay>())
                Assert.True(Recall(field, inside, way, Queries) >= 0.95);
        }
    }

    [Theory]
    [InlineData(200)]
    [InlineData(2000)]
    public void RowsThatCameAfterTheMaskAreNotFound(int bound)
    {
        // Most of the graph, the row it is entered by and what a walk that ignores the mask finds may all be above the bound.
        var inside = Enumerable.Range(0, bound).Where(i => i % 3 > 0 || i == bound - 1).ToHashSet();
        foreach (var way in Enum.GetValues<MaskedWay>())
            Assert.True(Recall(Cosine.Value, inside, way, Queries) >= 0.95);
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(2, 40)]
    [InlineData(5, 10)]
    public void AMaskThatIsNotExactIsAskedAbout(int inMask, int inFilter)
    {
        var mask = Enumerable.Range(0, Count).Where(i => i % inMask == 0).ToHashSet();
        var accepted = mask.Where(i => i % inFilter == 0).ToHashSet();
        foreach (var way in Enum.GetValues<MaskedWay>())
        {
            foreach (var query in Queries)
            {
                var hits = Search(Cosine.Value, query, Mask(mask, exact: false), way, new Only(accepted));
                Assert.Equal(K, hits.Count);
                Assert.All(hits, h => Assert.Contains(h.Slot, accepted));
            }
        }
    }

    [Fact]
    public void RowsThatAreNotLinkedYetAreFound()
    {
        using var field = TestVectors.Field(Base[..3000], Distance.Cosine);
        for (var i = 3000; i < 3300; i++)
            field.Add(Base[i], i);
        var inside = Enumerable.Range(0, 3300).Where(i => i % 3 == 0).ToHashSet();
        foreach (var way in Enum.GetValues<MaskedWay>())
        {
            Assert.Equal(3297, Search(field, Base[3297], Mask(inside, exact: true), way, new Only(inside))[0].Slot);
            var linked = Search(field, Base[3297], Mask(inside, exact: true), way, new Only(inside), indexedOnly: true);
            Assert.All(linked, h => Assert.True(h.Slot < 3000));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(12)]
    public void RowsThatAreNotLinkedYetAreLeftOutWhereTheyAreNotWanted(int inMask)
    {
        using var field = TestVectors.Field(Base[..3000], Distance.Cosine);
        for (var i = 3000; i < 3300; i++)
            field.Add(Base[i], i);
        var inside = Enumerable.Range(0, 3300).Where(i => i % inMask == 0).ToHashSet();
        foreach (var way in Enum.GetValues<MaskedWay>())
        {
            foreach (var exact in new[] { true, false })
            {
                foreach (var late in inside.Where(i => i >= 3000))
                {
                    var hits = Search(field, Base[late], Mask(inside, exact), way, new Only(inside), indexedOnly: true);
                    Assert.Equal(K, hits.Count);
                    Assert.All(hits, h => Assert.True(h.Slot < 3000, $"{way}, {exact}: {h.Slot} is not linked"));
                }
            }
        }
    }

    [Fact]
    public void ScoresAreThoseOfTheOriginals()
    {
        var inside = Enumerable.Range(0, Count).Where(i => i % 4 == 0).ToHashSet();
        foreach (var way in Enum.GetValues<MaskedWay>())
        {
            foreach (var hit in Search(Cosine.Value, Queries[0], Mask(inside, exact: true), way, new Only(inside)))
                Assert.Equal(Cosine.Value.Score(new DenseQuery(Cosine.Value.Schema, Queries[0]), hit.Slot), hit.Score);
        }
    }

    [Fact]
    public void FewRowsAreAllReturned()
    {
        var few = new HashSet<int> { 5, 500, 5000 };
        foreach (var way in Enum.GetValues<MaskedWay>())
            Assert.Equal(few, [.. Search(Cosine.Value, Queries[0], Mask(few, exact: true), way, new Only(few)).Select(h => h.Slot)]);
    }

    private static RowMask Mask(HashSet<int> rows, bool exact)
    {
        var bound = rows.Max() + 1;
        var words = new ulong[(bound + 63) / 64];
        foreach (var row in rows)
            words[row >> 6] |= 1UL << row;
        return new RowMask(words, bound, exact);
    }

    private static double Recall(DenseField field, HashSet<int> inside, MaskedWay way, float[][] queries)
    {
        var mask = Mask(inside, exact: true);
        var (found, wanted) = (0, 0);
        foreach (var query in queries)
        {
            var truth = TestVectors.Exact(field, query, K, new Only(inside)).Select(h => h.Slot).ToHashSet();
            var hits = Search(field, query, mask, way, new Only(inside));
            Assert.All(hits, h => Assert.Contains(h.Slot, inside));
            found += hits.Count(h => truth.Contains(h.Slot));
            wanted += truth.Count;
        }

        return (double)found / wanted;
    }

    private static List<SlotHit> Search<TFilter>(
        DenseField field, float[] query, RowMask mask, MaskedWay way, TFilter filter, bool indexedOnly = false)
        where TFilter : struct, ISlotFilter
    {
        var hits = new List<SlotHit>();
        var search = new DenseSearch(new DenseQuery(field.Schema, query), K)
        {
            Mask = mask,
            Way = way,
            Selectivity = (float)mask.Count / mask.Bound,
            IndexedOnly = indexedOnly,
        };
        field.Search(search, ref filter, hits);
        return hits;
    }
}
