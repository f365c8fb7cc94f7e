using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>What a server tells of its managed heap (<c>/metrics</c>).</summary>
/// <param name="Allocated">Bytes allocated.</param>
/// <param name="Collections">Garbage collections.</param>
/// <param name="Paused">Seconds they stopped the process.</param>
/// <param name="LongestAtMost">Seconds that the longest pause did not exceed; 0 without any, infinite past the last limit.</param>
internal sealed record ServerHeap(double Allocated, double Collections, double Paused, double LongestAtMost)
{
    private IReadOnlyList<(double AtMost, double Count)> Buckets { get; init; } = [];

    public static async Task<ServerHeap> ReadAsync(ServerProcess server)
    {
        double allocated = 0, collections = 0, paused = 0;
        var buckets = new List<(double, double)>();
        foreach (var line in (await server.Client.GetStringAsync("/metrics")).Split('\n'))
        {
            var space = line.LastIndexOf(' ');
            if (!line.StartsWith("granary_", StringComparison.Ordinal) || space < 0)
                continue;
            if (!double.TryParse(line.AsSpan(space + 1), CultureInfo.InvariantCulture, out var value))
                continue;
            if (line.StartsWith("granary_allocated_bytes_total ", StringComparison.Ordinal))
                allocated = value;
            else if (line.StartsWith("granary_gc_collections_total{", StringComparison.Ordinal))
                collections += value;
            else if (line.StartsWith("granary_gc_pause_seconds_sum ", StringComparison.Ordinal))
                paused = value;
            else if (line.StartsWith("granary_gc_pause_seconds_bucket{le=\"", StringComparison.Ordinal))
                buckets.Add((AtMost(line.AsSpan(36)), value));
        }

        return new ServerHeap(allocated, collections, paused, 0) { Buckets = buckets };
    }

    /// <summary>What came since an earlier look.</summary>
    public ServerHeap Since(ServerHeap earlier)
    {
        var longest = 0.0;
        var below = 0.0;
        for (var i = 0; i < Buckets.Count; i++)
        {
            var came = Buckets[i].Count - earlier.Buckets[i].Count;
            if (came > below)
                longest = Buckets[i].AtMost;
            below = came;
        }

        return new ServerHeap(
            Allocated - earlier.Allocated, Collections - earlier.Collections, Paused - earlier.Paused, longest);
    }

    private static double AtMost(ReadOnlySpan<char> rest)
    {
        var text = rest[..rest.IndexOf('"')];
        return text is "+Inf" ? double.PositiveInfinity : double.Parse(text, CultureInfo.InvariantCulture);
    }
}
