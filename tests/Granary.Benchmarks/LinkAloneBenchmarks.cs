using System.Diagnostics;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Benchmarks;

/// <summary>What linking alone does in process: apply everything, then link it on every core.</summary>
internal static class LinkAloneBenchmarks
{
    public static Task RunAsync(VectorSet set, int points)
    {
        using var index = new PartitionIndex(new IndexSchema { Dense = [new DenseVectorSchema("", set.Size, Distance.Cosine)] });
        var writer = new OperationWriter();
        for (var i = 0; i < points; i++)
        {
            writer.Clear();
            writer.Begin(OperationKind.Upsert, new PointId((ulong)i));
            writer.Dense("", set[i % set.Count]);
            writer.End();
            index.Apply(i + 1, new OperationView(writer.Written.Span[4..]), out var poison);
            if (poison is not null)
                throw new InvalidOperationException(poison);
        }

        var watch = Stopwatch.StartNew();
        while (index.PendingLinks > 0)
            index.Link(1_000, Environment.ProcessorCount, CancellationToken.None);
        Console.WriteLine($"linking alone: {points} points of {set.Size}-d in {watch.Elapsed.TotalSeconds:F1} s: "
            + $"{points / watch.Elapsed.TotalSeconds:F0} points/s on {Environment.ProcessorCount} threads");
        return Task.CompletedTask;
    }
}
