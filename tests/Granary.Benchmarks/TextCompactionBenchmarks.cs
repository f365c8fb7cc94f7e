using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Granary.Index;
using Granary.Index.Operations;
using Granary.Index.Search;

namespace Granary.Benchmarks;

/// <summary>
/// Making a text field anew after each of its documents was replaced once: how long it takes, how long applying stops at a time, beside
/// further writes and without them, and what searches of another thread take before, meanwhile and afterwards.
/// </summary>
internal static class TextCompactionBenchmarks
{
    private const int K = 10;

    // So many operations are a record of the log; what is gone is reclaimed after each.
    private const int Record = 256;

    public static Task<int> RunAsync(Arguments arguments)
    {
        var corpus = arguments.Text("corpus", ".");
        var rows = arguments.Number("rows", int.MaxValue);
        var queries = File.ReadLines(Path.Combine(corpus, "queries.jsonl")).Select(Text).ToArray();
        using var run = new Run(Path.Combine(corpus, "corpus.jsonl"), rows);
        var clock = Stopwatch.StartNew();
        run.WriteAll();
        Console.WriteLine(
            $"{run.Index.PointCount:N0} documents applied in {clock.Elapsed.TotalSeconds:F0} s, {queries.Length} queries; {Machine.Load}");
        for (var round = 0; round < arguments.Number("rounds", 2); round++)
        {
            var writes = round % 2 == 0;
            Stops usual = new(), meanwhile = new();
            while (!run.IsDue)
                run.Step(usual);
            Console.WriteLine(
                $"{run.Numbers:N0} numbers; before, while every document is replaced: {usual}; {Machine.Load}");
            Print("searches before, terms laid out by a pass before", Search(run.Index, queries, queries.Length * 2)[queries.Length..]);
            var done = false;
            var times = new List<double>();
            var reader = new Thread(() => times = Search(run.Index, queries, int.MaxValue, () => Volatile.Read(ref done)));
            reader.Start();
            var last = run.Numbers;
            var collections = GC.GetTotalPauseDuration();
            clock.Restart();
            // The record that makes it due, then what follows.
            run.Step(meanwhile);
            for (; run.Numbers >= last; run.Step(meanwhile, writes))
                last = run.Numbers;
            var seconds = clock.Elapsed.TotalSeconds;
            collections = GC.GetTotalPauseDuration() - collections;
            Volatile.Write(ref done, true);
            reader.Join();
            Console.WriteLine(
                $"made anew {(writes ? "beside writes" : "without writes")} and beside searches in {seconds:F2} s: {meanwhile}; "
                + $"the collector's pauses {collections.TotalMilliseconds:F0} ms in all");
            Print("searches meanwhile, by another thread", times);
            Print("searches of the new one, terms laid out by these", Search(run.Index, queries, queries.Length));
            Print("the same again", Search(run.Index, queries, queries.Length));
        }

        return Task.FromResult(0);
    }

    private static string Text(string line)
    {
        using var read = JsonDocument.Parse(line);
        return read.RootElement.GetProperty("text").GetString()!;
    }

    private static List<double> Search(PartitionIndex index, string[] queries, int most, Func<bool>? done = null)
    {
        var times = new List<double>();
        for (var i = 0; i < most && done?.Invoke() != true; i++)
        {
            var began = Stopwatch.GetTimestamp();
            using (var reader = index.OpenReader())
                reader.Search(new TextLeg("text", queries[i % queries.Length]) { Limit = K });
            times.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
        }

        return times;
    }

    private static void Print(string what, List<double> times)
    {
        times.Sort();
        Console.WriteLine(
            $"  {what}: {times.Count} searches, mean {times.Average():F0} us, p99 {times[times.Count * 99 / 100]:F0}, most {times[^1]:F0}");
    }

    /// <summary>
    /// How long calls of the applying thread took: single operations, and what is done after each record of them. On a machine with other
    /// work the thread's own processor time says more of the longest than the clock.
    /// </summary>
    private sealed class Stops
    {
        private readonly List<(double Clock, double Processor, bool Collected)> _applies = [];
        private readonly List<(double Clock, double Processor, bool Collected)> _reclaims = [];

        public void Apply((long, long, int) began) => _applies.Add(Since(began));

        public void Reclaim((long, long, int) began) => _reclaims.Add(Since(began));

        public static (long Clock, long Processor, int Collections) Now() =>
            (Stopwatch.GetTimestamp(), ThreadTime(), GC.CollectionCount(0));

        public override string ToString() =>
            $"{_applies.Count:N0} operations {Of(_applies)}, {_reclaims.Count:N0} reclaims {Of(_reclaims)}";

        private static (double, double, bool) Since((long Clock, long Processor, int Collections) began) => (
            Stopwatch.GetElapsedTime(began.Clock).TotalMilliseconds, (ThreadTime() - began.Processor) / 1e6,
            GC.CollectionCount(0) != began.Collections);

        private static string Of(List<(double Clock, double Processor, bool Collected)> times) => times.Count == 0
            ? string.Empty
            : $"(ms by the clock: {Of(times.ConvertAll(t => t.Clock))}; of processor time: {Of(times.ConvertAll(t => t.Processor))}, "
                + $"{times.Where(t => !t.Collected).Select(t => t.Processor).DefaultIfEmpty().Max():F1} of those without a collection)";

        private static string Of(List<double> times)
        {
            times.Sort();
            return $"mean {times.Average():F3}, p99 {times[times.Count * 99 / 100]:F2}, longest {times[^1]:F1}";
        }

        // Nanoseconds of this thread; of Linux.
        private static long ThreadTime() => GetTime(3, out var time) == 0 ? (time.Seconds * 1_000_000_000) + time.Nanoseconds : 0;

        [DllImport("libc", EntryPoint = "clock_gettime")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int GetTime(int clock, out Time time);

        private readonly struct Time
        {
            public readonly long Seconds;
            public readonly long Nanoseconds;
        }
    }

    /// <summary>A partition that is written from a file again and again, each line to the next point each time.</summary>
    private sealed class Run(string file, int rows) : IDisposable
    {
        private readonly OperationWriter _writer = new();
        private IEnumerator<byte[]> _lines = Lines(file, rows).GetEnumerator();
        private int _pass;
        private long _line;

        public PartitionIndex Index { get; } = new(new IndexSchema { Text = [new TextFieldSchema("text", "text")] });

        /// <summary>Whether the field is to be made anew with the next record: more of its documents will be gone than are there.</summary>
        public bool IsDue => Numbers > (2 * Index.PointCount) - Record;

        public int Numbers
        {
            get
            {
                using var reader = Index.OpenReader();
                return reader.View.Published.Fields.Find("text")!.RowCapacity;
            }
        }

        public void WriteAll()
        {
            var stops = new Stops();
            while (_pass == 0)
                Step(stops);
        }

        /// <summary>Applies a record, unless nothing is to be written, and reclaims.</summary>
        public void Step(Stops stops, bool writes = true)
        {
            for (var i = 0; i < Record && writes; i++)
            {
                if (!_lines.MoveNext())
                {
                    (_pass, _line) = (_pass + 1, 0);
                    _lines = Lines(file, rows).GetEnumerator();
                    _lines.MoveNext();
                }

                // A text that stays is not indexed again.
                var id = _pass == 0 ? _line : (_line + _pass) % Index.PointCount;
                _line++;
                _writer.Clear();
                _writer.Begin(OperationKind.Upsert, new PointId((ulong)id));
                _writer.Payload(_lines.Current);
                _writer.End();
                var began = Stops.Now();
                Index.Apply(Index.AppliedOperation + 1, new OperationView(_writer.Written.Span[4..]), out _);
                stops.Apply(began);
            }

            var reclaimed = Stops.Now();
            Index.Reclaim();
            stops.Reclaim(reclaimed);
        }

        public void Dispose()
        {
            _lines.Dispose();
            Index.Dispose();
        }

        private static IEnumerable<byte[]> Lines(string file, int rows) =>
            File.ReadLines(file).Take(rows).Select(line => JsonSerializer.SerializeToUtf8Bytes(new { text = Text(line) }));
    }
}
