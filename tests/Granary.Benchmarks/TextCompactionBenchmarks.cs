using System.Diagnostics;
using System.Text.Json;
using Granary.Index;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Benchmarks;

/// <summary>
/// Making a text field anew after each of its documents was replaced once: how long its writer is busy with it, and what searches of
/// another thread take meanwhile and afterwards.
/// </summary>
internal static class TextCompactionBenchmarks
{
    private const int K = 10;

    public static Task<int> RunAsync(Arguments arguments)
    {
        var corpus = arguments.Text("corpus", ".");
        var rows = arguments.Number("rows", int.MaxValue);
        var queries = File.ReadLines(Path.Combine(corpus, "queries.jsonl")).Select(Text).ToArray();
        var epochs = new EpochClock();
        var field = new TextField(new TextFieldSchema("text", "text"), epochs);
        var count = Fill(field, corpus, rows, 0);
        Fill(field, corpus, rows, count);
        for (var doc = 0; doc < count; doc++)
        {
            field.Forget(doc);
            field.Remove(doc);
        }

        Console.WriteLine(
            $"{field.DocumentCount:N0} documents of {field.DocumentCapacity:N0} numbers, {queries.Length} queries; {Machine.Load}");
        for (var round = 0; round < arguments.Number("rounds", 3); round++)
        {
            var before = Search(field, queries, queries.Length * 2);
            Print("the field that is sparse, its terms laid out by a pass before", before[queries.Length..]);
            var processor = Environment.CpuUsage.TotalTime;
            var alone = Stopwatch.StartNew();
            field.Compacted(epochs);
            processor = Environment.CpuUsage.TotalTime - processor;
            Console.WriteLine($"made anew alone in {alone.Elapsed.TotalSeconds:F2} s, {processor.TotalSeconds:F2} of processor time");
            using var done = new CancellationTokenSource();
            var meanwhile = new List<double>();
            var reader = new Thread(() => meanwhile = Search(field, queries, int.MaxValue, done.Token));
            reader.Start();
            var watch = Stopwatch.StartNew();
            var compacted = field.Compacted(epochs);
            var seconds = watch.Elapsed.TotalSeconds;
            done.Cancel();
            reader.Join();
            Console.WriteLine(
                $"made anew beside searches in {seconds:F2} s, {compacted.Bytes / 1e6:F0} MB where it took {field.Bytes / 1e6:F0}");
            Print("the old one, meanwhile, by another thread", meanwhile);
            Print("the new one, its terms laid out by these", Search(compacted, queries, queries.Length));
            Print("the same again", Search(compacted, queries, queries.Length));
        }

        return Task.FromResult(0);
    }

    private static string Text(string line)
    {
        using var read = JsonDocument.Parse(line);
        return read.RootElement.GetProperty("text").GetString()!;
    }

    private static int Fill(TextField field, string corpus, int rows, int slot)
    {
        var first = slot;
        foreach (var line in File.ReadLines(Path.Combine(corpus, "corpus.jsonl")).Take(rows))
            field.Add([Text(line)], slot++);
        return slot - first;
    }

    private static List<double> Search(TextField field, string[] queries, int most, CancellationToken done = default)
    {
        var times = new List<double>();
        var hits = new List<SlotHit>();
        var all = default(VectorBenchmarks.AllSlots);
        for (var i = 0; i < most && !done.IsCancellationRequested; i++)
        {
            hits.Clear();
            var began = Stopwatch.GetTimestamp();
            field.Search(queries[i % queries.Length], K, null, ref all, hits);
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
}
