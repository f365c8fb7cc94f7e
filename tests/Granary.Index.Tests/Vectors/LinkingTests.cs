using Granary.Index.Memory;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class LinkingTests
{
    /// <summary>
    /// What a list remembers of how it was chosen saves work and changes nothing: not with duplicates, not when rows are removed and used
    /// again, not where distances are no numbers.
    /// </summary>
    [Theory]
    [InlineData(Distance.Cosine, VectorStorage.Float32WithCodes, 0.5f)]
    [InlineData(Distance.Euclid, VectorStorage.Int8, 0.5f)]
    [InlineData(Distance.Euclid, VectorStorage.Float32WithCodes, 0.5e20f)]
    [InlineData(Distance.Dot, VectorStorage.Float32, 0.5e20f)]
    [InlineData(Distance.Manhattan, VectorStorage.Float32, 0.5f)]
    public void AFullListIsAsIfItWereChosenAnew(Distance distance, VectorStorage storage, float spread)
    {
        for (var seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            var schema = new DenseVectorSchema("v", 1 + (seed * 3), distance)
            {
                Storage = storage,
                Hnsw = new HnswSettings { M = 2 + seed, EfConstruct = 20 },
            };
            using var field = new DenseField(schema, new EpochClock());
            using var forgetful = new DenseField(schema, new EpochClock());
            var rows = new List<int>();
            var known = 0;
            for (var i = 0; i < 400; i++)
            {
                var vector = Enumerable.Range(0, schema.Size).Select(_ =>
                    spread * (seed % 2 == 0 ? random.Next(-1, 2) : random.NextSingle() - 0.5f)).ToArray();
                rows.Add(field.Add(vector, i));
                Assert.Equal(rows[^1], forgetful.Add(vector, i));
                if (i > 100 && random.Next(3) < seed % 3)
                {
                    var at = random.Next(rows.Count);
                    field.Remove(rows[at]);
                    forgetful.Remove(rows[at]);
                    rows.RemoveAt(at);
                }

                for (var links = random.Next(3); links > 0; links--)
                {
                    known += Forget(forgetful);
                    field.Link(1, 1, CancellationToken.None);
                    forgetful.Link(1, 1, CancellationToken.None);
                }
            }

            Assert.True(known > 0);
            Assert.Equal(Image(field), Image(forgetful));
        }
    }

    private static int Forget(DenseField field)
    {
        var graph = GraphView.GraphOf(field)!;
        var known = 0;
        for (var row = 0; row < field.RowCapacity; row++)
        {
            known += graph.At(row).Apart > 0 ? 1 : 0;
            graph.At(row).Apart = 0;
        }

        return known;
    }

    private static byte[] Image(DenseField field)
    {
        using var stream = new MemoryStream();
        field.Save(stream);
        return stream.ToArray();
    }
}
