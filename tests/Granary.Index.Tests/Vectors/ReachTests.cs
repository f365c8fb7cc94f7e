using System.Runtime.CompilerServices;
using Granary.Index.Memory;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

/// <summary>Every row that is there can be found by a walk from the entry, whatever was removed, replaced or met with a failure.</summary>
public sealed class ReachTests
{
    // Between two looks through the graph a row may lose the last list that leads to it.
    private const double MayBeLost = 0.02;

    public enum Leaving
    {
        AnyRow,
        OldestFirst,
        ClusterByCluster,
    }

    [Theory]
    [InlineData(4, 5, 0.2f, 16, Leaving.ClusterByCluster, false)]
    [InlineData(4, 5, 0.2f, 16, Leaving.ClusterByCluster, true)]
    [InlineData(4, 40, 0.02f, 16, Leaving.OldestFirst, true)]
    [InlineData(4, 5, 0.6f, 4, Leaving.AnyRow, true)]
    [InlineData(32, 5, 0.6f, 4, Leaving.AnyRow, false)]
    [InlineData(32, 5, 0.6f, 4, Leaving.AnyRow, true)]
    public async Task RowsAreReachedAfterTheirNumberFellAndRose(int size, int clusters, float spread, int m, Leaving leaving, bool parallel)
    {
        var random = new Random(size + clusters + m);
        var centers = TestVectors.Normal(clusters, size, 5);
        var clusterOf = new List<int>();
        var schema = new DenseVectorSchema("v", size, Distance.Euclid) { Hnsw = new HnswSettings { M = m, EfConstruct = 32 } };
        using var field = new DenseField(schema, new EpochClock());
        var rows = new List<int>();
        foreach (var count in new[] { 3000, 150, 3000, 1000, 3000 })
        {
            using var settled = new CancellationTokenSource();
            var linker = parallel ? OnThread(() => LinkUntil(field, settled.Token)) : Task.CompletedTask;
            for (var step = 1; rows.Count != count; step++)
            {
                // Some are replaced on the way.
                var falls = rows.Count > count || (rows.Count > 0 && random.Next(10) == 0);
                if (falls)
                    RemoveOne(field, rows, leaving, random, clusterOf);
                else
                    rows.Add(AddOne(field, centers, spread, random, clusterOf));
                if (!parallel && step % 300 == 0)
                    field.Link(300, 1, CancellationToken.None);
                while (parallel && field.Pending > 1000 && !linker.IsCompleted)
                    Thread.Yield();
            }

            await settled.CancelAsync();
            await linker;
            TestVectors.LinkAll(field, parallel ? 2 : 1);
            Assert.Equal(count, field.Live);

            // Few rows are compared one by one.
            if (count >= 1000)
                Assert.InRange(GraphView.Lost(field), 0, count * MayBeLost);
        }

        GraphView.CheckLists(field);
        using var fresh = new DenseField(schema, new EpochClock());
        foreach (var row in rows)
            fresh.AddStored(field.Vector(row), field.SlotOf(row));
        TestVectors.LinkAll(fresh, 1);
        var queries = Enumerable.Range(0, 200).Select(_ => Draw(centers, spread, random, out var _)).ToArray();
        Assert.InRange(Recall(field, queries), Recall(fresh, queries) - (parallel ? 0.12 : 0.06), 1);
    }

    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Euclid)]
    public void MostOfACollectionIsRemovedAndFilledAgain(Distance distance)
    {
        const int Count = 8000;
        var vectors = TestVectors.Clustered(Count * 3, 24, 71);
        using var field = TestVectors.Field(vectors[..Count], distance);
        var next = Count;
        var rows = Enumerable.Range(0, Count).ToList();
        var random = new Random(72);
        foreach (var linkedMeanwhile in new[] { true, false })
        {
            while (rows.Count > Count / 20)
            {
                var at = random.Next(rows.Count);
                field.Remove(rows[at]);
                rows[at] = rows[^1];
                rows.RemoveAt(rows.Count - 1);
                if (linkedMeanwhile && rows.Count % 500 == 0)
                    field.Link(500, 2, CancellationToken.None);
            }

            for (; rows.Count < Count; next++)
            {
                rows.Add(field.Add(vectors[next], next));
                if (rows.Count % 500 == 0)
                    field.Link(500, 2, CancellationToken.None);
            }
        }

        TestVectors.LinkAll(field);
        Assert.InRange(GraphView.Lost(field), 0, Count * MayBeLost);
        using var fresh = TestVectors.Field([.. rows.Select(row => vectors[field.SlotOf(row)])], distance);
        var queries = TestVectors.Clustered(300, 24, 73);
        var expected = Recall(fresh, queries);
        Assert.InRange(Recall(field, queries), expected - 0.01, 1);
    }

    [Theory]
    [InlineData(40, 0.95)]
    [InlineData(2, 0)]
    public void EqualVectorsDoNotShutOthersOut(int different, double recall)
    {
        var vectors = TestVectors.Clustered(4000, 16, 74);
        for (var i = different; i < vectors.Length; i += 2)
            vectors[i] = vectors[i % different];
        using var field = TestVectors.Field(vectors, Distance.Euclid, 1, hnsw: new HnswSettings { M = 8, EfConstruct = 100 });
        Assert.InRange(GraphView.Lost(field), 0, vectors.Length * MayBeLost);
        Assert.InRange(Recall(field, [.. TestVectors.Clustered(400, 16, 75).Where((_, i) => i % 2 == 1)]), recall, 1);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 3)]
    public void LinkingThatFailsMidwayIsTakenUpAgain(int seed, int parallelism)
    {
        var vectors = TestVectors.Clustered(6000, 16, seed);
        var random = new Random(seed);
        using var field = new DenseField(
            new DenseVectorSchema("v", 16, Distance.Euclid) { Hnsw = new HnswSettings { EfConstruct = 60 } }, new EpochClock());
        var calls = 0;
        var failures = 0;
        field.LinkingBack = _ =>
        {
            if (Interlocked.Increment(ref calls) % 1009 == 0)
                throw new OutOfMemoryException();
        };
        var rows = new List<int>();
        for (var next = 0; next < vectors.Length;)
        {
            // Some are removed before they are linked, some of these after a failure, and their rows used again.
            for (var i = 0; i < 150 && next < vectors.Length; i++)
                rows.Add(field.Add(vectors[next], next++));
            for (var i = 0; i < 40; i++)
            {
                var at = rows.Count - 1 - random.Next(Math.Min(rows.Count, 150));
                field.Remove(rows[at]);
                rows.RemoveAt(at);
            }

            failures += Fails(() => field.Link(400, parallelism, CancellationToken.None)) ? 1 : 0;
        }

        field.LinkingBack = null;
        TestVectors.LinkAll(field, parallelism);
        Assert.True(failures > 20, $"{failures} failures");
        Assert.Equal(rows.Count, rows.Distinct().Count());
        Assert.Equal(rows.Count, field.Live);
        Assert.All(rows, row => Assert.True(field.Vector(row).SequenceEqual(vectors[field.SlotOf(row)])));
        var (counted, there) = GraphView.Linked(field);
        Assert.Equal(there, counted);
        GraphView.CheckLists(field);
        Assert.InRange(GraphView.Lost(field), 0, rows.Count * MayBeLost);
        Assert.InRange(Recall(field, TestVectors.Clustered(100, 16, 76)), 0.97, 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void LinkingThatFailedIsTakenUpByShorterCalls(int parallelism)
    {
        var vectors = TestVectors.Clustered(1000, 16, 77);
        using var field = TestVectors.Field(vectors[..400], Distance.Euclid, 1);
        var rows = Enumerable.Range(0, 400).ToList();
        for (var next = 400; next < 600; next++)
            rows.Add(field.Add(vectors[next], next));
        var cutShort = rows[550];
        foreach (var row in rows[420..430])
            field.Remove(row);
        field.LinkingBack = row =>
        {
            if (row == cutShort)
                throw new OutOfMemoryException();
        };
        Assert.True(Fails(() => field.Link(200, parallelism, CancellationToken.None)));
        field.LinkingBack = null;

        // What was given back is not given back again, and one that was cut short and is removed now is swept after it is linked.
        field.Remove(cutShort);
        foreach (var row in rows[..100])
            field.Remove(row);
        field.Link(10, parallelism, CancellationToken.None);
        TestVectors.LinkAll(field, parallelism);
        rows.Remove(cutShort);
        rows.RemoveRange(420, 10);
        rows.RemoveRange(0, 100);
        for (var next = 600; next < vectors.Length; next++)
            rows.Add(field.Add(vectors[next], next));
        TestVectors.LinkAll(field, parallelism);
        for (; rows.Count > 500; rows.RemoveAt(0))
            field.Remove(rows[0]);
        TestVectors.LinkAll(field, parallelism);
        Assert.Equal(rows.Count, rows.Distinct().Count());
        Assert.All(rows, row => Assert.True(field.Vector(row).SequenceEqual(vectors[field.SlotOf(row)])));
        GraphView.CheckLists(field);
        Assert.Equal(GraphView.Linked(field), (rows.Count + field.Removed, rows.Count + field.Removed));
    }

    [Fact]
    public void OneCallJoinsSoManyRowsAndTheNextGoesOn()
    {
        var hnsw = new HnswSettings { M = 2, EfConstruct = 4 };
        using var field = TestVectors.Field(TestVectors.Normal(40_000, 2, 78), Distance.Euclid, 1, hnsw: hnsw);
        GraphView.ForgetLinks(field);
        CheckDueOf(field) = true;
        var lost = GraphView.Lost(field);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        field.Link(0, 1, cancelled.Token);
        Assert.True(field.LinkDue);
        Assert.Equal(lost, GraphView.Lost(field));
        var calls = 0;
        for (; field.LinkDue; calls++)
            field.Link(0, 1, CancellationToken.None);
        Assert.Equal(2, calls);

        // Of all levels together, the upper ones first.
        var joined = (field.RowCapacity / 16) + 64;
        Assert.InRange(lost - GraphView.Lost(field), 1, joined);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void NothingLeadsToRowsThatWereGivenBack(int parallelism)
    {
        for (var seed = 0; seed < 12; seed++)
        {
            // Short lists, and rows that are joined in the middle of sweeps.
            var random = new Random(seed);
            var schema = new DenseVectorSchema("v", 8, (Distance)(seed % 4)) { Hnsw = new HnswSettings { M = 2, EfConstruct = 16 } };
            using var field = new DenseField(schema, new EpochClock());
            var rows = new List<int>();
            var next = 0;
            foreach (var count in new[] { 500, 0, 1500, 20, 1500, 0, 700 })
            {
                while (rows.Count != count)
                {
                    if (rows.Count > count || (rows.Count > 0 && random.Next(6) == 0))
                    {
                        var at = random.Next(rows.Count);
                        field.Remove(rows[at]);
                        rows.RemoveAt(at);
                    }
                    else
                    {
                        rows.Add(field.Add([.. Enumerable.Range(0, schema.Size).Select(_ => random.NextSingle() - 0.5f)], next++));
                    }

                    if (random.Next(20) == 0)
                        field.Link(random.Next(40), parallelism, CancellationToken.None);
                }

                TestVectors.LinkAll(field, parallelism);
                GraphView.CheckLists(field);
            }
        }
    }

    private static bool Fails(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (Exception e) when (e is OutOfMemoryException or AggregateException)
        {
            return true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_checkDue")]
    private static extern ref bool CheckDueOf(DenseField field);

    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void LinkUntil(DenseField field, CancellationToken settled)
    {
        while (!settled.IsCancellationRequested)
            field.Link(1000, 2, CancellationToken.None);
    }

    private static int AddOne(DenseField field, float[][] centers, float spread, Random random, List<int> clusterOf)
    {
        var vector = Draw(centers, spread, random, out var cluster);
        clusterOf.Add(cluster);
        return field.Add(vector, clusterOf.Count - 1);
    }

    private static void RemoveOne(DenseField field, List<int> rows, Leaving leaving, Random random, List<int> clusterOf)
    {
        var at = leaving == Leaving.OldestFirst ? 0 : random.Next(rows.Count);
        for (var i = 0; i < 8 && leaving == Leaving.ClusterByCluster; i++)
        {
            var other = random.Next(rows.Count);
            if (clusterOf[field.SlotOf(rows[other])] < clusterOf[field.SlotOf(rows[at])])
                at = other;
        }

        field.Remove(rows[at]);
        if (leaving != Leaving.OldestFirst)
            rows[at] = rows[^1];
        rows.RemoveAt(leaving == Leaving.OldestFirst ? 0 : rows.Count - 1);
    }

    private static float[] Draw(float[][] centers, float spread, Random random, out int cluster)
    {
        var center = centers[cluster = random.Next(centers.Length)];
        return [.. center.Select(c => c + (spread * TestVectors.Gauss(random)))];
    }

    // By distance: of equal ones any may be found.
    private static double Recall(DenseField field, float[][] queries)
    {
        var found = 0;
        foreach (var query in queries)
        {
            var last = TestVectors.Exact(field, query, 10, default(Everything))[9].Score;
            found += Math.Min(10, TestVectors.Search(field, query, 10, default(Everything), ef: 64)
                .Count(h => field.Schema.Distance.HigherIsNearer() ? h.Score >= last : h.Score <= last));
        }

        return found / (10.0 * queries.Length);
    }
}
