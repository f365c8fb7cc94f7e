using Granary.Index.Vectors;

namespace Granary.Benchmarks;

/// <summary>Seeded vectors in clusters, as embeddings lie, and their exact neighbours.</summary>
internal static class ClusteredVectors
{
    private const int Latent = 24;

    /// <summary>
    /// Vectors around centres that lie near a space of few dimensions, with noise in all. Vectors of one <paramref name="seed"/> are a
    /// prefix of more of them; another seed gives other vectors around the same centres.
    /// </summary>
    public static VectorSet Make(int count, int size, int seed, int clusters = 1000)
    {
        var shape = new Random(1);
        var basis = Normal(shape, Latent * size);
        var centres = Normal(shape, clusters * Latent);
        var random = new Random(seed);
        var values = new float[count * size];
        var point = new float[Latent];
        for (var row = 0; row < count; row++)
        {
            var centre = centres.AsSpan(random.Next(clusters) * Latent, Latent);
            for (var i = 0; i < Latent; i++)
                point[i] = centre[i] + (0.9f * Gauss(random));
            var vector = values.AsSpan(row * size, size);
            for (var i = 0; i < Latent; i++)
            {
                var along = basis.AsSpan(i * size, size);
                for (var j = 0; j < size; j++)
                    vector[j] += along[j] * point[i];
            }


            for (var i = 0; i < size; i++)
                vector[i] += (float)((random.NextDouble() - 0.5) * 4);
        }

        return new VectorSet(values, size);
    }

    /// <summary>The nearest rows by cosine of each query, by comparing them all.</summary>
    public static int[][] Truth(VectorSet set, VectorSet queries, int k)
    {
        var lengths = new float[set.Count];
        for (var row = 0; row < set.Count; row++)
            lengths[row] = MathF.Sqrt(Dot(set[row], set[row]));
        var truth = new int[queries.Count][];
        Parallel.For(0, queries.Count, query =>
        {
            var best = new PriorityQueue<int, float>();
            for (var row = 0; row < lengths.Length; row++)
            {
                var score = Dot(queries[query], set[row]) / lengths[row];
                if (best.Count < k)
                    best.Enqueue(row, score);
                else
                    best.EnqueueDequeue(row, score);
            }

            truth[query] = [.. Enumerable.Range(0, best.Count).Select(_ => best.Dequeue()).Reverse()];
        });
        return truth;
    }

    private static unsafe float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        fixed (float* x = a, y = b)
            return FloatKernels.Dot(x, y, a.Length);
    }

    private static float[] Normal(Random random, int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = Gauss(random);
        return values;
    }

    private static float Gauss(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
