using Granary.Collections;
using Granary.Collections.Tests.Support;
using Granary.Grains.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Grains.Tests.Rules;

/// <summary>
/// Rules PartitionsAreInvisible, ReplicasAgree and LogIsTruth for a cluster: however many silos, whatever becomes of the doorbells, every
/// silo answers like one process with the same operations.
/// </summary>
public sealed class SilosAreInvisible
{
    private static readonly CollectionConfig Config = new()
    {
        Schema = new IndexSchema
        {
            Dense = [new DenseVectorSchema("", 8, Distance.Dot)],
            Text = [new TextFieldSchema("text", "text")],
        },
    };

    [Theory]
    [InlineData(1, 1, 41)]
    [InlineData(2, 2, 42)]
    [InlineData(4, 2, 43)]
    public async Task PartitionsAreInvisible_and_ReplicasAgree_on_every_silo(short silos, int replicas, int seed)
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        await CompareAsync(cluster, replicas, seed, wait: true);
    }

    [Theory]
    [InlineData(2, 51)]
    [InlineData(2, 52)]
    [InlineData(4, 53)]
    public async Task LogIsTruth_lost_repeated_late_and_reordered_doorbells_change_nothing(short silos, int seed)
    {
        await using var cluster = await TestSilos.StartAsync(silos, faults: seed);
        await CompareAsync(cluster, 2, seed, wait: false);
    }

    private static async Task CompareAsync(TestSilos cluster, int replicas, int seed, bool wait)
    {
        var silos = cluster.Silos.Count;
        await cluster.At(0).CreateCollectionAsync("c", Config with { Partitions = 4, Replicas = replicas });
        await using var standalone = await Database.OpenAsync(new MemoryStorage(), new DatabaseOptions(), default);
        await standalone.CreateCollectionAsync("c", Config);
        var one = await standalone.GetCollectionAsync("c");
        var (operations, same) = (new RandomOperations(seed), new RandomOperations(seed));
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 15; i++)
            {
                var written = await (await cluster.At(i % silos).GetCollectionAsync("c"))
                    .WriteAsync(operations.Next(), wait ? Batches.Wait : Batches.NoWait);
                Assert.Equal(wait ? UpdateStatus.Completed : UpdateStatus.Acknowledged, written.Status);
                await one.WriteAsync(same.Next(), Batches.Wait);
            }

            var expected = await DescribeAsync(one, strong: true);
            Assert.Equal(operations.Describe(), expected.Take(operations.Model.Count));
            for (var silo = 0; silo < silos; silo++)
            {
                // Without a wait, a strong read sees what was acknowledged.
                var there = await cluster.At(silo).GetCollectionAsync("c");
                Assert.Equal(expected, await DescribeAsync(there, strong: !wait));
            }
        }
    }

    /// <summary>Every point, and the answers to exact queries, as lines.</summary>
    private static async Task<List<string>> DescribeAsync(ICollection collection, bool strong)
    {
        var read = new ReadOptions { Strong = strong };
        var page = await collection.ScrollAsync(new ScrollRequest
        {
            Limit = 1000,
            WithPayload = PayloadSelector.All,
            WithVectors = new VectorSelector(true),
            Read = read,
        });
        var lines = RandomOperations.Describe(page.Points);
        lines.Add($"{await collection.CountAsync(null, true, read)} points");
        var random = new Random(3);
        for (var i = 0; i < 3; i++)
        {
            var vector = new NearestQuery(new DenseInput(Batches.Vector(random)));
            var text = new NearestQuery(new TextInput(i == 0 ? "alpha" : i == 1 ? "beta gamma" : "delta alpha delta"));
            var exact = new SearchParams { Exact = true };
            foreach (var request in new[]
            {
                new QueryRequest { Query = vector, Params = exact, Limit = 50, Read = read },
                new QueryRequest { Query = text, Using = "text", Limit = 50, Read = read },
                new QueryRequest { Query = vector, Params = exact, Filter = Batches.Has("n", i), Limit = 7, Read = read },
                new QueryRequest
                {
                    Prefetches =
                    [
                        new Prefetch { Query = vector, Params = exact, Limit = 20 },
                        new Prefetch { Query = text, Using = "text", Limit = 20 },
                    ],
                    Query = new RrfQuery(60, []),
                    Limit = 15,
                    Read = read,
                },
            })
                lines.Add(string.Join(' ', (await collection.QueryAsync(request)).Select(static h => $"{h.Id}:{h.Score:R}")));
        }

        return lines;
    }
}
