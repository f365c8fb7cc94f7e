using System.Diagnostics;
using System.Globalization;
using System.Text;
using Granary.Index;
using Granary.Index.Checkpoints;
using Granary.Index.Operations;

namespace Granary.Benchmarks;

/// <summary>
/// What a checkpoint holds up: how long applying stops while its image is frozen, how fast operations are applied while it is written,
/// and how fast a log's rest is applied after a restart, with and without linking beside it. Random vectors, in process; the image goes
/// into files that are not synced.
/// </summary>
internal static class CheckpointBenchmarks
{
    private static readonly string[] Tags = ["red", "green", "blue", "white"];

    public static Task<int> RunAsync(Arguments arguments)
    {
        var points = arguments.Number("points", 160_000);
        var size = arguments.Number("size", 128);
        var tail = arguments.Number("tail", 20_000);
        var operations = new Operations(points, size);
        var index = new PartitionIndex(new IndexSchema
        {
            Dense = [new DenseVectorSchema("", size, Distance.Cosine)],
            Text = [new TextFieldSchema("body", "body")],
            PayloadIndexes =
            [
                new PayloadIndexSchema("n", PayloadIndexType.Integer), new PayloadIndexSchema("tag", PayloadIndexType.Keyword),
            ],
        });
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < points; i++)
            operations.Apply(index, i);
        Console.WriteLine($"{points} points x {size}, text, two payload indexes: applied in {clock.Elapsed.TotalSeconds:F1} s, not linked");
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        try
        {
            for (var round = 0; round < 3; round++)
                Measure(index, operations, folder.FullName);
            index.Dispose();
            foreach (var link in new[] { false, true })
                Replay(folder.FullName, operations, tail, link);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return Task.FromResult(0);
    }

    private static void Measure(PartitionIndex index, Operations operations, string folder)
    {
        using var image = index.BeginCheckpoint(CancellationToken.None);
        var clock = Stopwatch.StartNew();
        image.Freeze();
        var freeze = clock.Elapsed;
        clock.Restart();
        var bytes = 0L;
        var writing = Task.Run(() => bytes = Write(image, folder));
        long applied = 0;
        var longest = TimeSpan.Zero;
        while (!writing.IsCompleted)
        {
            var started = Stopwatch.GetTimestamp();
            operations.Apply(index, (int)(applied++ * 7919 % operations.Count));
            var took = Stopwatch.GetElapsedTime(started);
            longest = took > longest ? took : longest;
        }

        writing.GetAwaiter().GetResult();
        Console.WriteLine($"image of {bytes / 1e6:F0} MB: frozen in {freeze.TotalMilliseconds:F2} ms, written in "
            + $"{clock.Elapsed.TotalMilliseconds:F0} ms; {applied / clock.Elapsed.TotalSeconds:F0} operations/s applied meanwhile, the "
            + $"longest took {longest.TotalMilliseconds:F1} ms");
    }

    private static void Replay(string folder, Operations operations, int tail, bool link)
    {
        var clock = Stopwatch.StartNew();
        using var index = PartitionIndex.ReadCheckpoint(new Folder(folder));
        var read = clock.Elapsed;
        using var done = new CancellationTokenSource();
        var linked = 0L;
        var linking = Task.Run(() =>
        {
            while (link && !done.IsCancellationRequested)
                linked += index.Link(1000, Environment.ProcessorCount, done.Token);
        });
        clock.Restart();
        for (var i = 0; i < tail; i++)
            operations.Apply(index, i);
        var applied = clock.Elapsed;
        done.Cancel();
        linking.GetAwaiter().GetResult();
        Console.WriteLine($"restart: image read in {read.TotalMilliseconds:F0} ms; {tail} operations behind it applied in "
            + $"{applied.TotalMilliseconds:F0} ms ({tail / applied.TotalSeconds:F0}/s) "
            + (link ? $"with linking on {Environment.ProcessorCount} threads beside it ({linked} rows)" : "without linking"));
    }

    private static long Write(CheckpointImage image, string folder)
    {
        foreach (var file in Directory.GetFiles(folder))
            File.Delete(file);
        image.Write(new Folder(folder), CancellationToken.None);
        return Directory.GetFiles(folder).Sum(f => new FileInfo(f).Length);
    }

    private sealed class Folder(string path) : ICheckpointWriter, ICheckpointReader
    {
        public Stream Create(string section) => File.Create(Path.Combine(path, section));

        public Stream Open(string section) => File.OpenRead(Path.Combine(path, section));

        public MappedSection? TryMap(string section) => null;
    }

    private sealed class Operations(int count, int size)
    {
        private readonly OperationWriter _writer = new();
        private readonly float[] _vector = new float[size];
        private readonly Random _random = new(1);

        public int Count => count;

        public void Apply(PartitionIndex index, int id)
        {
            foreach (ref var value in _vector.AsSpan())
                value = _random.NextSingle() - 0.5f;
            var words = string.Join(' ', Enumerable.Range(0, 8).Select(_ => "w" + (_random.Next(300) * _random.Next(300))
                .ToString(CultureInfo.InvariantCulture)));
            _writer.Clear();
            _writer.Begin(OperationKind.Upsert, new PointId((ulong)id));
            _writer.Payload(Encoding.UTF8.GetBytes($$"""{"n":{{id}},"tag":"{{Tags[id % 4]}}","body":"{{words}}"}"""));
            _writer.Dense("", _vector);
            _writer.End();
            var outcome = index.Apply(index.AppliedOperation + 1, new OperationView(_writer.Written.Span[4..]), out var poison);
            if (outcome != ApplyOutcome.Applied)
                throw new InvalidOperationException($"{outcome}: {poison}");
        }
    }
}
