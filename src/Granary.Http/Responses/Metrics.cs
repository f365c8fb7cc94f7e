using System.Globalization;
using System.Text;
using Granary.Collections;
using Granary.Http.Hosting;

namespace Granary.Http.Responses;

/// <summary>Prometheus text: Qdrant's names where there are such, our own (<c>granary_</c>) for the rest.</summary>
internal static class Metrics
{
    /// <summary>The whole text.</summary>
    public static string Write(ApiState state, IReadOnlyList<CollectionInfo> collections, bool perCollection)
    {
        var text = new StringBuilder(4096);
        Family(text, "app_info", "gauge", "information about qdrant server",
            [($"name=\"qdrant\",version=\"{state.Options.QdrantVersion}\"", 1)]);
        Family(text, "app_status_recovery_mode", "gauge", "is recovery mode enabled", [("", 0)]);
        Family(text, "collections_total", "gauge", "number of collections", [("", collections.Count)]);
        Family(text, "collections_vector_total", "gauge", "total number of vectors in all collections",
            [("", collections.Sum(static c => c.Partitions.Sum(static p => (double)p.Vectors)))]);
        Family(text, "collection_points", "gauge", "approximate amount of points per collection",
            collections.Select(static c => (Id(c), (double)c.Points)));
        Family(text, "collection_vectors", "gauge", "amount of vectors per collection",
            collections.Select(static c => (Id(c), c.Partitions.Sum(static p => (double)p.Vectors))));
        if (perCollection)
            ResponsesByCollection(text, state);
        else
            Responses(text, state);
        Partitions(text, collections);
        Phases(text, collections);
        Cluster(text);
        Family(text, "memory_resident_bytes", "gauge", "Maximum number of bytes in physically resident data pages mapped",
            [("", Environment.WorkingSet)]);
        Family(text, "process_threads", "gauge", "count of active threads",
            [("", System.Diagnostics.Process.GetCurrentProcess().Threads.Count)]);
        Family(text, "granary_requests_running", "gauge", "requests being answered now", [("", Volatile.Read(ref state.Running))]);
        Family(text, "granary_managed_heap_bytes", "gauge", "bytes on the managed heap", [("", GC.GetTotalMemory(false))]);
        Collector(text);
        return text.ToString();
    }

    private static void Responses(StringBuilder text, ApiState state)
    {
        var responses = state.Responses.OrderBy(static r => r.Key).ToList();
        static string Labels((string Method, string Endpoint, int Status) key) =>
            FormattableString.Invariant($"method=\"{key.Method}\",endpoint=\"{key.Endpoint}\",status=\"{key.Status}\"");
        Family(text, "rest_responses_total", "counter", "total number of responses",
            responses.Select(r => (Labels(r.Key), (double)r.Value.Count)));
        Family(text, "rest_responses_avg_duration_seconds", "gauge", "average response duration",
            responses.Select(r => (Labels(r.Key), r.Value.Total.TotalSeconds / Math.Max(1, r.Value.Count))));
        Family(text, "rest_responses_min_duration_seconds", "gauge", "minimum response duration",
            responses.Select(r => (Labels(r.Key), r.Value.Minimum.TotalSeconds)));
        Family(text, "rest_responses_max_duration_seconds", "gauge", "maximum response duration",
            responses.Select(r => (Labels(r.Key), r.Value.Maximum.TotalSeconds)));
    }

    private static void ResponsesByCollection(StringBuilder text, ApiState state)
    {
        var responses = state.ByCollection.OrderBy(static r => r.Key).ToList();
        Family(text, "rest_responses_total", "counter", "total number of responses", responses.Select(static r => (
            $"method=\"{r.Key.Method}\",endpoint=\"{r.Key.Endpoint}\",status=\"{r.Key.Status}\",collection=\"{Escape(r.Key.Collection)}\"",
            (double)r.Value.Count)));
    }

    private static void Partitions(StringBuilder text, IReadOnlyList<CollectionInfo> collections)
    {
        void Each(string name, string help, Func<PartitionStatus, double> value) => Family(text, name, "gauge", help,
            collections.SelectMany(c => c.Partitions.Select(p => ($"{Id(c)},partition=\"{p.Number}\"", value(p)))));
        Each("granary_queue_depth", "operations logged and not linked", static p => p.Depth);
        Each("granary_queue_capacity", "the bound of the depth", static p => p.Capacity);
        Each("granary_queue_utilisation", "depth over capacity", static p => p.Capacity == 0 ? 0 : (double)p.Depth / p.Capacity);
        Each("granary_index_lag_seconds", "age of the oldest operation not linked", static p => p.LagMilliseconds / 1000);
        Each("granary_operations_logged", "newest operation logged", static p => p.Logged);
        Each("granary_operations_applied", "newest operation applied", static p => p.Applied);
        Each("granary_operations_linked", "every operation up to this one is linked", static p => p.Linked);
        Each("granary_operations_failed", "operations that could not be applied", static p => p.Failed);
        Each("granary_log_bytes", "bytes of the log", static p => p.LogBytes);
        Each("granary_index_bytes", "unmanaged bytes of the index", static p => p.IndexBytes);
        Family(text, "granary_embedding_queue", "gauge", "texts waiting for their vector",
            collections.Select(static c => (Id(c), (double)c.EmbeddingQueue)));
        Family(text, "granary_embedding_failures", "counter", "texts that could not be embedded",
            collections.Select(static c => (Id(c), (double)c.EmbeddingFailures)));
    }

    /// <summary>This process as a member of a cluster: a standalone server has no such replicas, and none of these events.</summary>
    private static void Cluster(StringBuilder text)
    {
        var replicas = Collections.Diagnostics.Telemetry.ReplicaCounts;
        Family(text, "granary_silo_replicas", "gauge", "partition replicas of this silo by what they do",
        [
            ("state=\"serving\"", replicas.Serving), ("state=\"standing_by\"", replicas.StandingBy),
            ("state=\"not_serving\"", replicas.NotServing),
        ]);
        Family(text, "granary_silo_events_total", "counter", "what happened to this silo as a member of its cluster",
            Collections.Diagnostics.Telemetry.Cluster.All.Select(static e => ($"event=\"{e.Name}\"", (double)e.Total)));
    }

    private static void Phases(StringBuilder text, IReadOnlyList<CollectionInfo> collections)
    {
        var phases = collections.SelectMany(static c =>
            c.Timings.Select(t => (Labels: $"{Id(c)},phase=\"{t.Phase}\"", Timing: t))).ToList();
        Family(text, "granary_phase_total", "counter", "how often a phase ran",
            phases.Select(static p => (p.Labels, (double)p.Timing.Count)));
        Family(text, "granary_phase_seconds_total", "counter", "time spent in a phase",
            phases.Select(static p => (p.Labels, p.Timing.TotalMicroseconds / 1e6)));
        Family(text, "granary_phase_p95_seconds", "gauge", "95th percentile of a phase",
            phases.Select(static p => (p.Labels, p.Timing.P95Microseconds / 1e6)));
    }

    /// <summary>What the garbage collector has to do, and how long it stops everything for it.</summary>
    private static void Collector(StringBuilder text)
    {
        Family(text, "granary_allocated_bytes_total", "counter", "bytes allocated on the managed heap",
            [("", GC.GetTotalAllocatedBytes())]);
        Family(text, "granary_gc_collections_total", "counter", "garbage collections, by generation",
            ByGeneration().Select(static (count, generation) => (
                FormattableString.Invariant($"generation=\"{generation}\""), (double)count)));
        var (buckets, sum) = GcPauses.OfProcess.Snapshot();
        const string Pauses = "granary_gc_pause_seconds";
        text.Append("# HELP ").Append(Pauses).Append(" how long a garbage collection stopped the process\n");
        text.Append("# TYPE ").Append(Pauses).Append(" histogram\n");
        foreach (var (most, count) in buckets)
        {
            var atMost = most?.TotalSeconds.ToString("R", CultureInfo.InvariantCulture) ?? "+Inf";
            text.Append(CultureInfo.InvariantCulture, $"{Pauses}_bucket{{le=\"{atMost}\"}} {count}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{Pauses}_sum {sum.TotalSeconds:R}\n{Pauses}_count {buckets[^1].Count}\n");
    }

    /// <summary>
    /// Collections by the oldest generation collected. What the runtime counts of a generation holds those of the older ones, and one
    /// collection between two reads would have a difference of them fall, which a counter never does.
    /// </summary>
    private static int[] ByGeneration()
    {
        var counts = new int[GC.MaxGeneration + 2];
        do
        {
            for (var generation = 0; generation <= GC.MaxGeneration; generation++)
                counts[generation] = GC.CollectionCount(generation);
        }
        while (counts[0] != GC.CollectionCount(0));
        return [.. counts.Take(GC.MaxGeneration + 1).Select((count, generation) => count - counts[generation + 1])];
    }

    private static string Id(CollectionInfo collection) => $"id=\"{Escape(collection.Name)}\"";

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static void Family(StringBuilder text, string name, string type, string help,
        IEnumerable<(string Labels, double Value)> samples)
    {
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        foreach (var (labels, value) in samples)
        {
            text.Append(name);
            if (labels.Length > 0)
                text.Append('{').Append(labels).Append('}');
            text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        }
    }
}
