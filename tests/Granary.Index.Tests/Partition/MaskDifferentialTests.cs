using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Search;

namespace Granary.Index.Tests.Partition;

/// <summary>
/// Filtered queries that are not asked to be exact, of which payload indexes make bitmaps: where the limit is not below what matches, or
/// so few match that all are compared, they find exactly what the model has, while points change, are removed and slots are taken again;
/// old readers included.
/// </summary>
public sealed class MaskDifferentialTests
{
    private const int Ids = 150;
    private static readonly string[] Tags = ["red", "green", "blue"];

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 2000)]
    [InlineData(3, 0)]
    [InlineData(4, 2000)]
    public void FilteredQueriesFindWhatTheModelHas(int seed, int threshold)
    {
        var random = new Random(seed);
        var writer = new OperationWriter();
        var points = ImmutableDictionary<int, Point>.Empty;
        var operation = 0L;
        using var index = new PartitionIndex(new IndexSchema
        {
            Dense =
            [
                new DenseVectorSchema("dot", 4, Distance.Dot) { Hnsw = new HnswSettings { M = 4, FullScanThreshold = threshold } },
                new DenseVectorSchema("some", 3, Distance.Euclid) { Hnsw = new HnswSettings { M = 4, FullScanThreshold = threshold } },
            ],
            PayloadIndexes =
            [
                new PayloadIndexSchema("tag", PayloadIndexType.Keyword), new PayloadIndexSchema("n", PayloadIndexType.Integer),
            ],
        });
        var old = new Queue<(IndexReader Reader, ImmutableDictionary<int, Point> Points)>();
        for (var step = 0; step < 1500; step++)
        {
            // First only new points, so that slots are rows; then everything.
            Write(step < Ids ? step : random.Next(Ids), onlyNew: step < Ids);
            if (step % 4 == 0)
            {
                using var reader = index.OpenReader();
                Compare(reader, points);
            }

            if (step % 13 == 0)
                old.Enqueue((index.OpenReader(), points));
            if (old.Count > 4)
                CompareOldest();
            if (step % 9 == 0)
                index.Link(40, 1, CancellationToken.None);
            if (step % 5 == 0)
                index.Reclaim();
        }

        while (old.Count > 0)
            CompareOldest();

        void CompareOldest()
        {
            var (reader, then) = old.Dequeue();
            Compare(reader, then);
            reader.Dispose();
        }

        void Write(int id, bool onlyNew)
        {
            writer.Clear();
            var exists = points.TryGetValue(id, out var point);
            var kind = onlyNew || !exists ? 0 : random.Next(6);
            if (kind == 5)
            {
                writer.Begin(OperationKind.Delete, new PointId((ulong)id));
                writer.End();
                points = points.Remove(id);
            }
            else if (kind >= 3)
            {
                // The vectors keep their rows, and get another slot.
                var next = point! with { Tags = RandomTags(), Numbers = RandomNumbers() };
                writer.Begin(OperationKind.OverwritePayload, new PointId((ulong)id));
                writer.Payload(next.Json());
                writer.End();
                points = points.SetItem(id, next);
            }
            else
            {
                var next = new Point(RandomTags(), RandomNumbers(), Floats(4), onlyNew || random.Next(3) > 0 ? Floats(3) : null);
                writer.Begin(OperationKind.Upsert, new PointId((ulong)id));
                writer.Payload(next.Json());
                writer.Dense("dot", next.Dot);
                if (next.Some is not null)
                    writer.Dense("some", next.Some);
                writer.End();
                points = points.SetItem(id, next);
            }

            var outcome = index.Apply(++operation, new OperationView(writer.Written.Span[4..]), out var why);
            Assert.True(outcome == ApplyOutcome.Applied, why);
        }

        void Compare(IndexReader reader, ImmutableDictionary<int, Point> then)
        {
            var (filter, matches) = RandomFilter();
            var matching = then.Where(p => matches(p.Key, p.Value)).ToList();
            foreach (var limit in new[] { Ids, matching.Count + 1, threshold > 0 ? 1 : Ids, threshold > 0 ? 5 : Ids })
            {
                var dot = Floats(4);
                Same(reader.Search(new DenseLeg("dot", dot) { Filter = filter, Limit = limit }),
                    matching.Select(p => (p.Key, Model.Dot(dot, p.Value.Dot))).OrderBy(p => -p.Item2).ThenBy(p => p.Key).Take(limit));
                var some = Floats(3);
                Same(reader.Search(new DenseLeg("some", some) { Filter = filter, Limit = limit }),
                    matching.Where(p => p.Value.Some is not null).Select(p => (p.Key, Model.Euclid(some, p.Value.Some)))
                        .OrderBy(p => p.Item2).ThenBy(p => p.Key).Take(limit));
            }
        }

        (Filter Filter, Func<int, Point, bool> Matches) RandomFilter()
        {
            var (low, tag, other) = (random.Next(-1, 8), Tags[random.Next(3)], Tags[random.Next(3)]);

            // A wide range is filled from outside.
            var high = low + (random.Next(2) == 0 ? 2 : 8);
            var range = new RangeCondition("n", null, low, null, high);
            bool InRange(Point p) => p.Numbers.Any(n => n >= low && n <= high);
            Condition IsTag(string text) => new MatchAnyCondition("tag", [MatchValue.Of(text)]);
            PointId[] ids = [.. Enumerable.Range(0, 30).Select(_ => new PointId((ulong)random.Next(Ids)))];
            var numbers = ids.Select(id => (int)id.Number).ToHashSet();
            return random.Next(8) switch
            {
                0 => (new Filter { Must = [range] }, (_, p) => InRange(p)),
                1 => (new Filter { MustNot = [range] }, (_, p) => !InRange(p)),
                2 => (new Filter { Must = [IsTag(tag)] }, (_, p) => p.Tags.Contains(tag)),
                3 => (new Filter { Must = [range, IsTag(tag)], MustNot = [IsTag(other)] },
                    (_, p) => InRange(p) && p.Tags.Contains(tag) && !p.Tags.Contains(other)),
                4 => (new Filter { Should = [IsTag(tag), range], MustNot = [new HasIdCondition([.. ids])] },
                    (id, p) => (p.Tags.Contains(tag) || InRange(p)) && !numbers.Contains(id)),
                5 => (new Filter { Must = [new HasIdCondition([.. ids]), range] }, (id, p) => numbers.Contains(id) && InRange(p)),
                6 => (new Filter { MinShould = new MinShould([IsTag(tag), IsTag("blue"), range], 2) },
                    (_, p) => (p.Tags.Contains(tag) ? 1 : 0) + (p.Tags.Contains("blue") ? 1 : 0) + (InRange(p) ? 1 : 0) >= 2),

                // Not answered by indexes alone.
                _ => (new Filter { Must = [IsTag(tag), new HasVectorCondition("some")], MustNot = [range] },
                    (_, p) => p.Tags.Contains(tag) && p.Some is not null && !InRange(p)),
            };
        }

        string[] RandomTags() => [.. Tags.Where(_ => random.Next(2) == 0)];
        int[] RandomNumbers() => [.. Enumerable.Range(0, random.Next(3)).Select(_ => random.Next(10))];
        float[] Floats(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-3, 4))];
    }

    private static void Same(LegResult found, IEnumerable<(int Id, float Score)> expected) =>
        Assert.Equal(expected.Select(p => (new PointId((ulong)p.Id), p.Score)), found.Hits.Select(h => (h.Id, h.Score)));

    private sealed record Point(string[] Tags, int[] Numbers, float[] Dot, float[]? Some)
    {
        public byte[] Json()
        {
            var tags = string.Join(",", Tags.Select(tag => $"\"{tag}\""));
            var numbers = string.Join(",", Numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)));
            return Encoding.UTF8.GetBytes($"{{\"tag\":[{tags}],\"n\":[{numbers}]}}");
        }
    }
}
