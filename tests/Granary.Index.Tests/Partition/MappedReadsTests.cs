using System.Globalization;
using System.Text;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Search;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

/// <summary>How much of a mapped file an exact search reads.</summary>
public sealed class MappedReadsTests
{
    private const int Size = 256;
    private const int Count = 20_000;

    [Fact]
    public void OriginalsOfPointsThatTheFilterRefusesAreNotRead()
    {
        // Elsewhere nothing is mapped.
        if (!OperatingSystem.IsLinux())
            return;
        var random = new Random(1);
        using var folder = new FolderCheckpoint();
        Write(folder, random);
        using var index = PartitionIndex.ReadCheckpoint(folder);
        using var reader = index.OpenReader();
        var filter = FilterJson.Parse("""{"must":[{"key":"a","match":{"value":1}},{"key":"b","match":{"value":1}}]}"""u8);
        var hits = reader.Search(new DenseLeg("v", Vector(random)) { Exact = true, Limit = 10, Filter = filter }).Hits;
        Assert.Equal(4, hits.Count);

        // The system reads some pages around each; all of them were read where the vector came before the filter.
        var (mapped, resident) = Mapping();
        Assert.InRange(resident, 1, mapped / 4);
    }

    private static void Write(FolderCheckpoint folder, Random random)
    {
        using var index = new PartitionIndex(new IndexSchema
        {
            Dense =
            [
                new DenseVectorSchema("v", Size, Distance.Cosine) { OnDisk = true, Hnsw = new HnswSettings { M = 4, EfConstruct = 8 } },
            ],
        });
        var writer = new OperationWriter();
        for (var i = 0; i < Count; i++)
        {
            writer.Clear();
            writer.Begin(OperationKind.Upsert, new PointId((ulong)i));
            writer.Payload(Encoding.UTF8.GetBytes($$"""{"a":{{(i % 5000 == 0 ? 1 : 0)}},"b":1}"""));
            writer.Dense("v", Vector(random));
            writer.End();
            Assert.Equal(
                ApplyOutcome.Applied, index.Apply(index.AppliedOperation + 1, new OperationView(writer.Written[4..].Span), out _));
        }

        index.WriteCheckpoint(folder, CancellationToken.None);
    }

    private static float[] Vector(Random random) => [.. Enumerable.Range(0, Size).Select(_ => random.NextSingle() - 0.5f)];

    /// <summary>KiB of the field's mapped file, and those of them in memory.</summary>
    private static (long Mapped, long Resident) Mapping()
    {
        var lines = File.ReadAllLines("/proc/self/smaps");
        var at = Array.FindIndex(lines, static line => line.EndsWith("field-0", StringComparison.Ordinal) && line.Contains(" rw-p "));
        return (Of("Size:"), Of("Rss:"));

        long Of(string name)
        {
            var line = lines.Skip(at).First(line => line.StartsWith(name, StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
    }
}
