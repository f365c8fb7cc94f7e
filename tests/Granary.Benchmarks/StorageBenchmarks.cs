using System.Diagnostics;
using System.Globalization;
using Granary.Collections.Ports;
using Granary.Storage.Files;
using Granary.Storage.Memory;
using Granary.Storage.Postgres;
using Granary.Storage.Sqlite;

namespace Granary.Benchmarks;

/// <summary>
/// What an append costs on each storage: one caller, one record an append, latency percentiles. <c>--count</c> appends,
/// <c>--bytes</c> a record, <c>--group</c> records an append, <c>--path</c> a folder on the disk to measure, <c>--postgres</c> the address
/// of an empty PostgreSQL database.
/// </summary>
internal static class StorageBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var count = arguments.Number("count", 5000);
        var bytes = arguments.Number("bytes", 3200);
        var group = arguments.Number("group", 1);
        var postgres = arguments.Text("postgres", "");
        var folder = Path.Combine(arguments.Text("path", Path.GetTempPath()), $"granary-benchmark-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        Console.WriteLine($"{count} appends of {group} record(s) of {bytes} bytes; sync durability a tenth of that; microseconds");
        Console.WriteLine();
        Console.WriteLine("| storage | durability | p50 | p95 | p99 | max | appends/s |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|");
        try
        {
            await MeasureAsync("mem", "-", new MemoryStorage(), count, bytes, group);
            foreach (var durability in Enum.GetValues<Durability>())
            {
                var appends = durability == Durability.Disk ? Math.Max(1, count / 10) : count;
                var files = await FileStorage.OpenAsync(Path.Combine(folder, $"file-{durability}"), new FileStorageOptions
                {
                    Durability = durability,
                });
                await MeasureAsync("file", durability.ToString(), files, appends, bytes, group);
                var sqlite = await SqliteStorage.OpenAsync(Path.Combine(folder, $"{durability}.db"), new SqliteStorageOptions
                {
                    Durability = durability,
                });
                await MeasureAsync("sqlite", durability.ToString(), sqlite, appends, bytes, group);
                if (postgres.Length == 0)
                    continue;
                var database = await PostgresStorage.OpenAsync(postgres, new PostgresStorageOptions
                {
                    Durability = durability,
                    CacheFolder = Path.Combine(folder, "cache"),
                });
                await MeasureAsync("postgres", durability.ToString(), database, Math.Max(1, count / 10), bytes, group);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static async Task MeasureAsync(string name, string durability, IStorage storage, int count, int bytes, int group)
    {
        await using var closing = storage;
        await using var log = await storage.OpenLogAsync(new PartitionKey(Guid.NewGuid(), 0), CancellationToken.None);
        var operations = new byte[bytes];
        Random.Shared.NextBytes(operations);
        var samples = new Samples(count);
        var warm = Math.Min(count, 200);
        var total = Stopwatch.StartNew();
        for (var i = -warm; i < count; i++)
        {
            if (i == 0)
                total.Restart();
            var first = log.NextOperation;
            var records = Enumerable.Range(0, group).Select(n => new LogRecord(first + n, 1, Guid.NewGuid(), operations)).ToArray();
            var start = Stopwatch.GetTimestamp();
            await log.AppendAsync(records, CancellationToken.None);
            if (i >= 0)
                samples.Add(Stopwatch.GetElapsedTime(start));
        }

        var rate = count / total.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {durability.ToLowerInvariant()} | {samples.Percentile(50):F1} | {samples.Percentile(95):F1} | "
                + $"{samples.Percentile(99):F1} | {samples.Percentile(100):F1} | {rate:F0} |"));
    }
}
