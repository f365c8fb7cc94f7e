using System.Text.Json.Nodes;
using Granary.Index.Filters;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Tests.Checkpoints;
using Granary.Index.Text;

namespace Granary.Index.Tests.Partition;

/// <summary>Random operations against a plain model: every exact answer is the model's, at every operation, old readers included.</summary>
public sealed class DifferentialTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void ExactAnswersEqualTheModels(int seed)
    {
        var model = new Model();
        var traffic = new Traffic(seed, model);
        var index = new PartitionIndex(Model.Schema);
        var old = new Queue<(IndexReader Reader, Model Model)>();
        try
        {
            for (var step = 0; step < 700; step++)
            {
                traffic.Step(index);
                if (step % 3 == 0)
                {
                    using var reader = index.OpenReader();
                    Compare(reader, model, traffic);
                    CompareText(reader, model, traffic);
                }

                if (step % 17 == 0)
                    old.Enqueue((index.OpenReader(), new Model { Points = model.Points }));
                if (old.Count > 3)
                {
                    var (reader, then) = old.Dequeue();
                    Compare(reader, then, traffic);
                    reader.Dispose();
                }

                if (step % 11 == 0)
                    index.Link(100, 1, CancellationToken.None);
                if (step % 5 == 0)
                    index.Reclaim();
                if (step % 97 == 96)
                    index = Reopen(index, old);
            }

            index.Link(int.MaxValue, 1, CancellationToken.None);
            Assert.Equal(index.AppliedOperation, index.LinkedOperation);
        }
        finally
        {
            Close(old);
            index.Dispose();
        }
    }

    [Fact]
    public void ReplicasAgree()
    {
        // The same operations, reclaimed and linked at other times, and one replica restarted from a checkpoint.
        var (modelA, modelB) = (new Model(), new Model());
        var (a, b) = (new Traffic(9, modelA), new Traffic(9, modelB));
        using var first = new PartitionIndex(Model.Schema);
        var second = new PartitionIndex(Model.Schema);
        for (var step = 0; step < 500; step++)
        {
            a.Step(first);
            b.Step(second);
            if (step % 7 == 0)
                first.Reclaim();
            if (step % 100 == 50)
                second = Reopen(second, []);
        }

        using var left = first.OpenReader();
        using var right = second.OpenReader();
        foreach (var (id, _) in modelA.Points)
        {
            Assert.True(left.TryGet(id, new VectorSelector(true), out var x));
            Assert.True(right.TryGet(id, new VectorSelector(true), out var y));
            Assert.Equal(x!.Operation, y!.Operation);
            Assert.True(x.Payload.Span.SequenceEqual(y.Payload.Span));
            Assert.Equal(x.Vectors.Select(v => v.Name), y.Vectors.Select(v => v.Name));
            Assert.All(x.Vectors.Zip(y.Vectors), pair => Assert.Equal(pair.First.Values, pair.Second.Values));
            Assert.Equal(x.Vectors.Select(v => v.ComputedFrom), y.Vectors.Select(v => v.ComputedFrom));
        }

        Assert.Equal(left.Search(new TextLeg("body", "night river")).Hits, right.Search(new TextLeg("body", "night river")).Hits);
        second.Dispose();
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    [InlineData(24)]
    public void AnImageHoldsWhatWasAppliedWhenItWasFrozen(int seed)
    {
        // Operations are applied, linked and reclaimed before and between the sections of an image that is written.
        var model = new Model();
        var traffic = new Traffic(seed, model);
        using var index = new PartitionIndex(Model.Schema);
        for (var round = 0; round < 40; round++)
        {
            Step(20);
            using var image = index.BeginCheckpoint(CancellationToken.None);
            Assert.Equal(index.AppliedOperation, image.Freeze());
            var then = new Model { Points = model.Points };
            var indexes = traffic.Indexes.Order(StringComparer.Ordinal).ToList();
            var before = index.AppliedOperation;
            Step(round % 4 * 10);
            var checkpoint = new MemoryCheckpoint
            {
                Creating = section =>
                {
                    Step(3);
                    // The graphs stand in the first two sections.
                    if (!section.StartsWith("field-", StringComparison.Ordinal) || section[^1] > '1')
                        index.Link(10, 1, CancellationToken.None);
                },
            };
            image.Write(checkpoint, CancellationToken.None);
            image.Dispose();
            Step(5);
            using var read = PartitionIndex.ReadCheckpoint(checkpoint);
            Assert.Equal(before, read.AppliedOperation);
            Assert.Equal(indexes, read.Schema.PayloadIndexes.Select(i => i.Path).Order(StringComparer.Ordinal));
            for (var again = 0; again < 5; again++)
            {
                using var reader = read.OpenReader();
                Compare(reader, then, traffic);
                CompareText(reader, then, traffic);
                CompareValues(reader, then, indexes);
                read.Link(int.MaxValue, 1, CancellationToken.None);
                Assert.Equal(read.AppliedOperation, read.LinkedOperation);
            }
        }

        void Step(int count)
        {
            for (var i = 0; i < count; i++)
                traffic.Step(index);
            index.Reclaim();
        }
    }

    private static void CompareValues(IndexReader reader, Model model, List<string> indexes)
    {
        var matching = model.Matching(null).ToList();
        if (indexes.Contains("tag"))
            CompareFacet(reader, null, matching);
        if (indexes.Contains("n"))
            CompareOrder(reader, null, matching, descending: true);
    }

    private static PartitionIndex Reopen(PartitionIndex index, Queue<(IndexReader, Model)> readers)
    {
        var checkpoint = new MemoryCheckpoint();
        index.WriteCheckpoint(checkpoint, CancellationToken.None);
        Close(readers);
        index.Dispose();
        var read = PartitionIndex.ReadCheckpoint(checkpoint);
        Assert.True(read.LinkedOperation <= read.AppliedOperation);
        return read;
    }

    private static void Close(Queue<(IndexReader Reader, Model Model)> readers)
    {
        while (readers.TryDequeue(out var reader))
            reader.Reader.Dispose();
    }

    private static void Compare(IndexReader reader, Model model, Traffic traffic)
    {
        var filter = traffic.RandomFilter();
        var matching = model.Matching(filter).ToList();
        Assert.Equal(matching.Count, reader.Count(filter, exact: true));
        Assert.Equal(model.Points.Count, reader.Count(null, exact: false));
        CompareScan(reader, traffic, filter, matching);
        ComparePoints(reader, model, traffic);
        CompareRankings(reader, model, traffic, filter);
        if (traffic.Indexes.Contains("tag") && reader.Operation == traffic.Operation)
            CompareFacet(reader, filter, matching);
        if (traffic.Indexes.Contains("n") && reader.Operation == traffic.Operation)
            CompareOrder(reader, filter, matching, traffic.Random.Next(2) == 0);
    }

    private static void CompareScan(IndexReader reader, Traffic traffic, Filter? filter, List<(PointId Id, ModelPoint Point)> matching)
    {
        var from = traffic.Id();
        var limit = traffic.Random.Next(1, 30);
        for (var again = 0; again < 3; again++)
        {
            var scan = reader.Search(new ScanLeg { From = from, Filter = filter, Limit = limit });
            Assert.Equal(matching.Where(p => p.Id >= from).Take(limit).Select(p => p.Id), scan.Hits.Select(h => h.Id));
        }

        var sample = reader.Search(new SampleLeg(7) { Filter = filter, Limit = 10 });
        Assert.Equal(Math.Min(10, matching.Count), sample.Hits.Count);
        Assert.Equal(matching.Select(p => p.Id).OrderBy(id => SampleOrder.Key(7, id)).Take(10), sample.Hits.Select(h => h.Id));
    }

    private static void ComparePoints(IndexReader reader, Model model, Traffic traffic)
    {
        for (var i = 0; i < 5; i++)
        {
            var id = traffic.Id();
            Assert.Equal(model.Points.TryGetValue(id, out var expected), reader.TryGet(id, new VectorSelector(true), out var point));
            Assert.Equal(expected is not null, reader.Contains(id));
            if (expected is null)
                continue;
            Assert.Equal(expected.Operation, point!.Operation);
            var payload = point.Payload.IsEmpty ? [] : JsonNode.Parse(point.Payload.Span)!.AsObject();
            Assert.True(JsonNode.DeepEquals(expected.Payload, payload), $"{expected.Payload} is {payload}");
            Assert.Equal(expected.Vectors.Keys.Order(StringComparer.Ordinal),
                point.Vectors.Select(v => v.Name).Order(StringComparer.Ordinal));
            foreach (var vector in point.Vectors)
            {
                Assert.Equal(expected.Vectors[vector.Name].Values, vector.Values);
                Assert.Equal(expected.Vectors[vector.Name].Indices, vector.Indices);
                Assert.Equal(expected.Vectors[vector.Name].Rows, vector.Rows);
                Assert.Equal(expected.Vectors[vector.Name].Computed ? "body" : null, vector.ComputedFrom);
            }
        }
    }

    private static void CompareRankings(IndexReader reader, Model model, Traffic traffic, Filter? filter)
    {
        var k = traffic.Random.Next(1, 12);
        var q4 = traffic.Floats(4);
        var dot = new DenseLeg("dot", q4) { Filter = filter, Limit = k, Exact = true };
        Same(model.Best("dot", filter, k, v => Model.Dot(q4, v.Values), higher: true), reader.Search(dot));
        var ids = Enumerable.Range(0, 15).Select(_ => traffic.Id()).ToList();
        var within = new Filter
        {
            Must = [new HasIdCondition([.. ids]), .. filter is null ? [] : new Condition[] { new FilterCondition(filter) }],
        };
        Same(model.Best("dot", within, k, v => Model.Dot(q4, v.Values), higher: true), reader.Search(dot with { Candidates = ids }));
        Same(
            [.. model.Best("dot", filter, k, v => Model.Dot(q4, v.Values), higher: true).Where(p => p.Score >= 3f)],
            reader.Search(dot with { ScoreThreshold = 3f }));

        var q3 = traffic.Floats(3);
        var euclid = new DenseLeg("euclid", q3) { Filter = filter, Limit = k, Exact = true };
        Same(model.Best("euclid", filter, k, v => Model.Euclid(q3, v.Values), higher: false), reader.Search(euclid));
        var q2 = traffic.Floats(4);
        var multi = new DenseLeg("multi", q2) { Rows = 2, Filter = filter, Limit = k };
        Same(model.Best("multi", filter, k, v => Model.MaxSim(q2, v.Values), higher: true), reader.Search(multi));
        var dimensions = traffic.Dimensions();
        var weights = dimensions.Select(_ => (float)traffic.Random.Next(1, 4)).ToArray();
        var sparse = new SparseLeg("sparse", [.. dimensions], [.. weights]) { Filter = filter, Limit = k };
        Same(model.Best("sparse", filter, k, v => Model.Sparse(dimensions, weights, v), higher: true), reader.Search(sparse));
        Same(model.Best("sparse", within, k, v => Model.Sparse(dimensions, weights, v), higher: true),
            reader.Search(sparse with { Candidates = ids }));

        // Without Exact the graph may miss points, but what it finds is visible, matches and has its true score.
        var all = model.Best("euclid", filter, int.MaxValue, v => Model.Euclid(q3, v.Values), higher: false)
            .ToDictionary(p => p.Id, p => p.Score);
        Assert.All(reader.Search(euclid with { Exact = false }).Hits, hit => Assert.Equal(all[hit.Id], hit.Score));
        var examples = new ExampleLeg("dot", ExampleStrategy.SumScores) { Positive = [new ExampleVector(q4)], Filter = filter, Limit = k };
        Same(model.Best("dot", filter, k, v => Model.Dot(q4, v.Values), higher: true), reader.Search(examples));
    }

    // A fresh field of the live texts has the same integers in its statistics, and so the same scores to the bit.
    private static void CompareText(IndexReader reader, Model model, Traffic traffic)
    {
        var field = new TextField(Model.Schema.Text[0], new EpochClock());
        var ids = new List<PointId>();
        foreach (var (id, point) in model.Points)
        {
            if (point.Payload["body"] is { } body)
            {
                field.Add([body.GetValue<string>()], ids.Count);
                ids.Add(id);
            }
        }

        var query = traffic.Text();
        var filter = traffic.RandomFilter();
        var expected = new List<SlotHit>();
        var accept = new Everything();
        field.Search(query, 1000, null, ref accept, expected);
        var matching = expected.Select(h => (Id: ids[h.Slot], h.Score)).Where(h => Model.Matches(filter, h.Id, model.Points[h.Id]))
            .OrderByDescending(h => h.Score).ThenBy(h => h.Id).Take(8).ToList();
        Same(matching, reader.Search(new TextLeg("body", query) { Filter = filter, Limit = 8 }));
        var some = Enumerable.Range(0, 20).Select(_ => traffic.Id()).ToHashSet();
        Same(
            [.. expected.Select(h => (Id: ids[h.Slot], h.Score)).Where(h => some.Contains(h.Id)).OrderByDescending(h => h.Score)
                .ThenBy(h => h.Id).Take(8)],
            reader.Search(new TextLeg("body", query) { Candidates = [.. some], Limit = 8 }));
    }

    private static void CompareFacet(IndexReader reader, Filter? filter, List<(PointId Id, ModelPoint Point)> matching)
    {
        var expected = matching.Where(p => p.Point.Payload["tag"] is not null).GroupBy(p => p.Point.Payload["tag"]!.GetValue<string>())
            .Select(g => (g.Key, Count: (long)g.Count())).OrderByDescending(g => g.Count).ThenBy(g => g.Key, StringComparer.Ordinal)
                .Take(2);
        Assert.Equal(expected, reader.Facet("tag", filter, 2, exact: true).Select(h => (h.Value.Text!, h.Count)));
    }

    private static void CompareOrder(IndexReader reader, Filter? filter, List<(PointId Id, ModelPoint Point)> matching, bool descending)
    {
        var values = matching.Where(p => p.Point.Payload["n"] is not null)
            .Select(p => (p.Id, N: (long)p.Point.Payload["n"]!.GetValue<int>()));
        var expected = (descending ? values.OrderByDescending(p => p.N) : values.OrderBy(p => p.N)).ThenBy(p => p.Id).Take(7);
        var hits = reader.Search(new OrderLeg("n", descending) { Filter = filter, Limit = 7 }).Hits;
        Assert.Equal(expected, hits.Select(h => (h.Id, h.Order!.Value.Integer)));
    }

    private static void Same(List<(PointId Id, float Score)> expected, LegResult actual) =>
        Assert.Equal(expected, actual.Hits.Select(h => (h.Id, h.Score)));

    private struct Everything : ISlotFilter
    {
        public readonly bool TryAccept(ref int slot) => true;
    }
}
