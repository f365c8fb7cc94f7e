using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Benchmarks;

/// <summary>
/// Bytes a point of one partition that holds debian-384's vectors and nothing else, with originals and without: what its parts have taken
/// from the system, and the managed heap beside them.
/// </summary>
internal static class BytesBenchmarks
{
    public static Task<int> RunAsync(Arguments arguments)
    {
        var name = arguments.Text("set", "debian-384");
        var set = VectorFiles.ReadVectors(Path.Combine(arguments.Data, name), "base");
        var times = arguments.Number("times", 1);
        var distance = name.StartsWith("sift", StringComparison.Ordinal) ? Distance.Euclid : Distance.Cosine;

        // What code takes once is no point's.
        Measure(set, new DenseVectorSchema("", set.Size, distance), 2_000, _ => { });
        foreach (var storage in new[] { VectorStorage.Float32WithCodes, VectorStorage.Int8 })
            Measure(set, new DenseVectorSchema("", set.Size, distance) { Storage = storage }, set.Count * times, Console.WriteLine);
        return Task.FromResult(0);
    }

    private static void Measure(VectorSet set, DenseVectorSchema vector, int count, Action<string> print)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var index = new PartitionIndex(new IndexSchema { Dense = [vector] });
        var writer = new OperationWriter();
        for (var i = 0; i < count; i++)
        {
            writer.Clear();
            writer.Begin(OperationKind.Upsert, new PointId((ulong)i));
            writer.Dense("", set[i % set.Count]);
            writer.End();
            if (index.Apply(i + 1, new OperationView(writer.Written.Span[4..]), out var poison) != ApplyOutcome.Applied)
                throw new InvalidOperationException(poison);

            // As a server does: what waits to be linked, and the operations it waits for, stay few.
            if ((i % 1000 == 999 || i == count - 1) && index.Link(int.MaxValue, Environment.ProcessorCount, CancellationToken.None) > 0)
                _ = index.LinkedOperation;
        }

        var managed = GC.GetTotalMemory(forceFullCollection: true) - before;
        var raw = (double)set.Size * sizeof(float);
        var parts = index.MeasureBytes();
        var unmanaged = parts.Sum(p => p.Unmanaged ? p.Bytes : 0);
        print($"{vector.Storage}, {count} x {set.Size}, raw float32 {raw:F0} bytes a point:");
        foreach (var (part, bytes, _) in parts)
            print($"  {part,-34} {bytes / (double)count,8:F1} bytes a point, {bytes / (raw * count),6:F3}x");
        var all = unmanaged + managed;
        print($"  {"unmanaged, together",-34} {unmanaged / (double)count,8:F1}");
        print($"  {"managed heap, all that was added",-34} {managed / (double)count,8:F1}");
        var originals = vector.Storage == VectorStorage.Int8 ? 0 : raw;
        var share = ((all / (double)count) - originals) / raw;
        var what = originals > 0 ? "beyond the raw vector" : "in all";
        print($"  {what,-34} {(all / (double)count) - originals,8:F1} bytes a point, {share:F3}x of raw float32");
    }
}
