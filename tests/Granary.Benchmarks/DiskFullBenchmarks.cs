using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Postgres;
using Granary.Tests.Shared;

namespace Granary.Benchmarks;

/// <summary>
/// A PostgreSQL server whose disk is really full: appends until it is, makes room, goes on, and compares the log with what was
/// acknowledged. The folder for temporary files (<c>TMPDIR</c>) must be on a small file system of its own, such as
/// <c>mount -t tmpfs -o size=220m,mode=1777 tmpfs DIR</c> makes.
/// </summary>
internal static class DiskFullBenchmarks
{
    private const long MostBytes = 1L << 30;
    private const int Reserve = 40 << 20;
    private const int Refusals = 12;
    private const int RecordBytes = 150_000;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var disk = new DriveInfo(Path.GetTempPath());
        if (disk.TotalSize > MostBytes)
            throw new ArgumentException($"TMPDIR is on {disk.Name}, which has {disk.TotalSize >> 20} MiB: a small disk is wanted");
        var reserve = Path.Combine(Path.GetTempPath(), "reserve");
        await File.WriteAllBytesAsync(reserve, new byte[Reserve]);
        await using var server = await PostgresServer.StartAsync("shared_buffers=16MB", "max_wal_size=64MB", "min_wal_size=32MB");
        await using var storage = await PostgresStorage.OpenAsync(
            await server.CreateDatabaseAsync(), new PostgresStorageOptions { RetryFor = TimeSpan.FromSeconds(3) });
        await using var log = await storage.OpenLogAsync(new PartitionKey(Guid.NewGuid(), 0), default);
        List<(long Operation, Guid Batch)> acknowledged = [], tried = [];
        var refusals = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var group = 0; refusals.Values.Sum() < Refusals; group++)
        {
            if (await TryAppendAsync(log, acknowledged, tried, group % 3 == 0 ? 20 : 2) is { } told)
                refusals[told] = refusals.GetValueOrDefault(told) + 1;
        }

        foreach (var (told, times) in refusals)
            Console.WriteLine($"after {acknowledged.Count} records, {times} times: {told}");
        File.Delete(reserve);
        var full = acknowledged.Count;
        for (var attempt = 0; attempt < 60 && acknowledged.Count < full + 20; attempt++)
        {
            // Without room for its own log PostgreSQL ends, and somebody starts it again.
            if (await TryAppendAsync(log, acknowledged, tried, 2) is not null)
                await StartAgainAsync(server);
        }

        List<(long, Guid)> there = [];
        await foreach (var record in log.ReadAsync(1, default))
            there.Add((record.FirstOperation, record.BatchId));
        var (lost, invented, doubtful) = (
            acknowledged.Except(there).Count(), there.Except(tried).Count(), there.Except(acknowledged).Count());
        var right = lost == 0 && invented == 0 && there.Distinct().Count() == there.Count && acknowledged.Count >= full + 20;
        Console.WriteLine($"with room again {acknowledged.Count} acknowledged: {lost} lost, {invented} invented, {doubtful} that got in "
            + $"although their outcome was told as unknown: {(right ? "met" : "MISSED")}");
        return right ? 0 : 1;
    }

    private static async Task StartAgainAsync(PostgresServer server)
    {
        try
        {
            await server.StartAgainAsync();
        }
        catch (InvalidOperationException)
        {
            // It runs.
        }
    }

    /// <summary>Null: acknowledged; otherwise what was told.</summary>
    private static async Task<string?> TryAppendAsync(
        IPartitionLog log, List<(long Operation, Guid Batch)> acknowledged, List<(long Operation, Guid Batch)> tried, int count)
    {
        try
        {
            var next = await log.HeadAsync(default);
            var records = new LogRecord[count];
            for (var i = 0; i < count; i++)
            {
                var bytes = new byte[RecordBytes];
                Random.Shared.NextBytes(bytes);
                records[i] = new LogRecord(next + i, 1, Guid.NewGuid(), bytes);
                tried.Add((next + i, records[i].BatchId));
            }

            await log.AppendAsync(records, default);
            acknowledged.AddRange(records.Select(r => (r.FirstOperation, r.BatchId)));
            return null;
        }
        catch (Exception e) when (e is GranaryException or IOException)
        {
            return $"{(e as GranaryException)?.Kind.ToString() ?? "in doubt"}: {e.Message.Split(": ", 2)[^1]}";
        }
    }
}
