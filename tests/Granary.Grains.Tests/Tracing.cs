using System.Collections.Concurrent;
using System.Diagnostics;
using Granary.Collections;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Grains.Hosting;
using Granary.Grains.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Grains.Tests;

public sealed class Tracing
{
    [Fact]
    public async Task OneTraceLeadsFromTheRequestToTheReplicaAndTheWriterOnAnotherSilo()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        await cluster.At(0).CreateCollectionAsync("traced", Configs.Plain with { Partitions = 4 });
        var collection = await cluster.At(0).GetCollectionAsync("traced");
        var view = cluster.Silos[0].ServiceProvider.GetRequiredService<ClusterView>();
        var database = await cluster.Silos[0].ServiceProvider.GetRequiredService<SiloEngine>().DatabaseAsync(default);
        var incarnation = database.Documents.Single().Document.Incarnation;
        var elsewhere = Enumerable.Range(0, 4)
            .Where(p => !view.Here.Equals(view.PlaceOf(new PartitionKey(incarnation, p), 0))).ToHashSet();
        Assert.Equal(2, elsewhere.Count);

        using var recorder = new Recorder();
        using var request = new Activity("request").Start();
        var batch = new WriteBatch();
        for (ulong id = 1; id <= 50; id++)
            batch.Upsert(id, Configs.Vector(id));
        await collection.WriteAsync(batch, new WriteOptions { Wait = true });
        var hits = await collection.QueryAsync(new QueryRequest
        {
            Query = new NearestQuery(new DenseInput(Configs.Vector(7))),
            Limit = 5,
        });
        Assert.Equal(5, hits.Count);

        var spans = recorder.Of(request.TraceId);
        foreach (var (inside, around) in ((string, string)[])[
            ("granary.replica.read", "granary.partition.read"), ("granary.partition.read", "granary.query"),
            ("granary.append", "granary.partition.write"), ("granary.partition.write", "granary.write")])
        {
            var inner = spans.Where(s => s.OperationName == inside).ToList();
            Assert.Equal(4, inner.Select(s => s.GetTagItem("granary.partition")).Distinct().Count());
            Assert.All(inner, s => Assert.Contains(around, Around(s, spans)));
        }

        // Calls of grains stand in between where the replica is on the other silo.
        var there = spans.Where(s => s.OperationName == "granary.replica.read"
            && elsewhere.Contains((int)s.GetTagItem("granary.partition")!)).ToList();
        Assert.NotEmpty(there);
        Assert.All(there, s => Assert.Contains(
            spans, p => p.SpanId == s.ParentSpanId && p.Source.Name.StartsWith("Microsoft.Orleans", StringComparison.Ordinal)));
        Assert.Contains(spans, s => s.OperationName == "granary.wait");
    }

    /// <summary>Names of the spans around one, nearest first.</summary>
    private static List<string> Around(Activity span, IReadOnlyList<Activity> all)
    {
        var names = new List<string>();
        for (var at = all.FirstOrDefault(s => s.SpanId == span.ParentSpanId); at is not null;
            at = all.FirstOrDefault(s => s.SpanId == at.ParentSpanId))
            names.Add(at.OperationName);
        return names;
    }

    /// <summary>Keeps every span of Granary and Orleans as soon as it begins: a caller with its answer does not wait for ends.</summary>
    private sealed class Recorder : IDisposable
    {
        private readonly ConcurrentBag<Activity> _spans = [];
        private readonly ActivityListener _listener;

        public Recorder()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = static source => source.Name == Telemetry.Name
                    || source.Name.StartsWith("Microsoft.Orleans", StringComparison.Ordinal),
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStarted = _spans.Add,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IReadOnlyList<Activity> Of(ActivityTraceId trace) => [.. _spans.Where(s => s.TraceId == trace)];

        public void Dispose() => _listener.Dispose();
    }
}
