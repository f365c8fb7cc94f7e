using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Sparse;
using Granary.Index.Tests.Text;

namespace Granary.Index.Tests.Sparse;

public sealed class SparseFieldTests
{
    [Fact]
    public void Only_rows_that_share_a_dimension_are_returned_even_with_negative_scores()
    {
        var field = new SparseField(new("s", false), new EpochClock());
        field.Add([5, 1], [2f, 1f], 0);
        field.Add([1], [-3f], 1);
        field.Add([9], [8f], 2);
        field.Add([], [], 3);
        Assert.Equal([new SlotHit(0, 1f), new SlotHit(1, -3f)], Search(field, [1], [1f], 10));
        Assert.Equal([new SlotHit(1, 3f), new SlotHit(0, -1f)], Search(field, [1], [-1f], 10));
        Assert.Equal([new SlotHit(0, 0f)], Search(field, [1, 5], [2f, -1f], 1));
        field.Get(0, out var indices, out var values);
        Assert.Equal([1u, 5u], indices.ToArray());
        Assert.Equal([1f, 2f], values.ToArray());
        Assert.Null(field.Score(2, [1], [1f], null));
        Assert.Equal(16f, field.Score(2, [9], [2f], null));
        Assert.Equal(4, field.RowCount);
    }

    [Fact]
    public void Repeated_dimensions_are_refused()
    {
        var field = new SparseField(new("s", false), new EpochClock());
        Assert.Contains("7", Assert.Throws<GranaryException>(() => field.Add([7, 7], [1f, 2f], 0)).Message, StringComparison.Ordinal);
        Assert.Throws<GranaryException>(() => field.Add([7], [1f, 2f], 0));
        Assert.Throws<GranaryException>(() => Search(field, [3, 3], [1f, 1f], 1));
        Assert.Equal(0, field.RowCapacity);
    }

    [Fact]
    public void The_idf_modifier_weighs_rare_dimensions_more()
    {
        var field = new SparseField(new("s", true), new EpochClock());
        field.Add([1], [1f], 0);
        field.Add([1, 2], [1f, 1f], 1);
        field.Add([1], [1f], 2);
        var hits = Search(field, [2, 1], [1f, 1f], 10);
        Assert.Equal(1, hits[0].Slot);
        Assert.Equal(Math.Log((2.5 / 1.5) + 1) + Math.Log((0.5 / 3.5) + 1), hits[0].Score, 1e-6);
        var shared = field.Statistics([1, 2]).Add(new(7, field.Statistics([1, 2]).Frequencies.SetItem(1, 1)));
        Assert.Equal(Math.Log((10 - 4 + 0.5) / (4 + 0.5) + 1), field.Score(0, [1], [1f], shared)!.Value, 1e-6);
    }

    [Theory]
    [InlineData(1, false, false)]
    [InlineData(2, true, false)]
    [InlineData(3, false, true)]
    [InlineData(4, true, true)]
    public void Searches_equal_an_exhaustive_scorer_through_changes(int seed, bool negative, bool idf)
    {
        var random = new Random(seed);
        var schema = new SparseVectorSchema("s", idf);
        var field = new SparseField(schema, new EpochClock());
        var model = new Dictionary<int, (int Slot, Dictionary<uint, float> Vector)>();
        for (var i = 0; i < 6_000; i++)
        {
            var choice = random.Next(10);
            if (choice < 7 || model.Count == 0)
            {
                var vector = RandomVector(random, negative);
                model[field.Add([.. vector.Keys], [.. vector.Values], i)] = (i, vector);
            }
            else
            {
                var row = model.Keys.ElementAt(random.Next(model.Count));
                if (choice < 9)
                {
                    field.Forget(row);
                    field.Remove(row);
                    model.Remove(row);
                }
                else
                {
                    field.Retarget(row, i);
                    model[row] = (i, model[row].Vector);
                }
            }

            if (i % 193 == 0)
                AssertEqualSearch(field, model, random, negative, idf);
        }

        using var image = new MemoryStream();
        field.Save(image);
        image.Position = 0;
        var loaded = SparseField.Load(image, schema, new EpochClock());
        Assert.Equal(field.RowCount, loaded.RowCount);
        // Numbers of removed rows are not kept.
        Assert.True(field.RowCapacity > model.Count);
        Assert.Equal(model.Count, loaded.RowCapacity);
        model = model.OrderBy(r => r.Key).Select((r, i) => (i, r.Value)).ToDictionary(r => r.i, r => r.Value);
        for (var round = 0; round < 20; round++)
            AssertEqualSearch(loaded, model, random, negative, idf);
        image.SetLength(image.Length / 2);
        image.Position = 0;
        Assert.Equal(ErrorKind.Corrupted, Assert.Throws<GranaryException>(() => SparseField.Load(image, schema, new EpochClock())).Kind);
    }

    private static void AssertEqualSearch(
        SparseField field, Dictionary<int, (int Slot, Dictionary<uint, float> Vector)> model, Random random, bool negative, bool idf)
    {
        var query = RandomVector(random, negative);
        var k = random.Next(1, 40);
        var weights = query.ToDictionary(pair => pair.Key, pair => pair.Value);
        if (idf)
        {
            foreach (var dimension in query.Keys)
            {
                var df = model.Values.Count(row => row.Vector.ContainsKey(dimension));
                weights[dimension] *= (float)Math.Log(((model.Count - df + 0.5) / (df + 0.5)) + 1);
            }
        }

        var expected = model.Values
            .Where(row => row.Vector.Keys.Any(weights.ContainsKey))
            .Select(row => new SlotHit(row.Slot, (float)row.Vector.Keys.Where(weights.ContainsKey).Order()
                .Aggregate(0.0, (sum, dimension) => sum + ((double)weights[dimension] * row.Vector[dimension]))))
            .OrderByDescending(hit => hit.Score).ThenBy(hit => hit.Slot)
            .Take(k);
        Assert.Equal(expected, Search(field, [.. query.Keys], [.. query.Values], k));
    }

    private static Dictionary<uint, float> RandomVector(Random random, bool negative)
    {
        var vector = new Dictionary<uint, float>();
        for (var i = random.Next(1, 10); i > 0; i--)
        {
            var weight = random.Next(1, 9) / 4f;
            vector[(uint)(50 * Math.Pow(random.NextDouble(), 3)) * 77_777_777] = negative && random.Next(2) == 0 ? -weight : weight;
        }

        return vector;
    }

    private static List<SlotHit> Search(SparseField field, uint[] indices, float[] values, int k)
    {
        var all = default(AllSlots);
        var hits = new List<SlotHit>();
        field.Search(indices, values, k, null, ref all, hits);
        return hits;
    }
}
