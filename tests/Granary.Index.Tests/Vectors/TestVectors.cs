using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

/// <summary>Vectors that lie in clusters, as embeddings do, and what every test does with a field.</summary>
internal static class TestVectors
{
    public static float[][] Clustered(int count, int size, int seed, int clusters = 40)
    {
        var centers = Normal(clusters, size, 1234);
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var center = centers[random.Next(clusters)];
            return center.Select(c => c + (0.6f * Gauss(random))).ToArray();
        })];
    }

    public static float[][] Normal(int count, int size, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, size).Select(_ => Gauss(random)).ToArray())];
    }

    public static DenseField Field(
        float[][] vectors, Distance distance, int parallelism = 2, EpochClock? epochs = null, HnswSettings? hnsw = null)
    {
        var schema = new DenseVectorSchema("v", vectors[0].Length, distance) { Hnsw = hnsw ?? new HnswSettings { EfConstruct = 100 } };
        var field = new DenseField(schema, epochs ?? new EpochClock());
        for (var i = 0; i < vectors.Length; i++)
            field.Add(vectors[i], i);
        LinkAll(field, parallelism);
        return field;
    }

    public static void LinkAll(DenseField field, int parallelism = 2)
    {
        while (field.LinkDue)
            field.Link(500, parallelism, CancellationToken.None);
    }

    public static List<SlotHit> Search<TFilter>(
        DenseField field, float[] query, int k, TFilter filter, float selectivity = 1, int? ef = null)
        where TFilter : struct, ISlotFilter
    {
        var hits = new List<SlotHit>();
        field.Search(new DenseSearch(new DenseQuery(field.Schema, query), k) { Selectivity = selectivity, Ef = ef }, ref filter, hits);
        return hits;
    }

    public static List<SlotHit> Exact<TFilter>(DenseField field, float[] query, int k, TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var hits = new List<SlotHit>();
        field.SearchExact(new DenseSearch(new DenseQuery(field.Schema, query), k), ref filter, hits);
        return hits;
    }

    public static double Recall<TFilter>(DenseField field, float[][] queries, int k, TFilter filter, float selectivity = 1, int? ef = null)
        where TFilter : struct, ISlotFilter
    {
        var found = 0;
        var wanted = 0;
        foreach (var query in queries)
        {
            var truth = Exact(field, query, k, filter).Select(h => h.Slot).ToHashSet();
            found += Search(field, query, k, filter, selectivity, ef).Count(h => truth.Contains(h.Slot));
            wanted += truth.Count;
        }

        return found / (double)wanted;
    }

    public static float Gauss(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}

/// <summary>Accepts every slot.</summary>
internal readonly struct Everything : ISlotFilter
{
    public bool TryAccept(ref int slot) => true;
}

/// <summary>Accepts the slots of a set.</summary>
internal readonly struct Only(HashSet<int> slots) : ISlotFilter
{
    public bool TryAccept(ref int slot) => slots.Contains(slot);
}
