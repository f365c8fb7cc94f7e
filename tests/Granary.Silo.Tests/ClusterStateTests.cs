using System.Globalization;
using System.Text.Json;

namespace Granary.Silo.Tests;

/// <summary>What a silo tells of its cluster, against what is in it.</summary>
[Collection(OneSilo.Name)]
public sealed class ClusterStateTests(OneSilo silo)
{
    [Fact]
    public async Task The_cluster_lists_every_replica_with_its_state()
    {
        using var answer = JsonDocument.Parse(await silo.Rest.GetStringAsync("/cluster"));
        var cluster = answer.RootElement.GetProperty("result");
        Assert.Equal("enabled", cluster.GetProperty("status").GetString());
        var member = Assert.Single(cluster.GetProperty("members").EnumerateArray());
        Assert.Equal("active", member.GetProperty("state").GetString());
        var replicas = member.GetProperty("replicas").EnumerateArray().ToList();
        Assert.Equal([0, 1, 2], replicas.Select(static r => r.GetProperty("partition").GetInt32()).Order());
        Assert.All(replicas, static r =>
        {
            Assert.Equal("told", r.GetProperty("collection").GetString());
            Assert.Equal("serves", r.GetProperty("state").GetString());
        });
        Assert.Equal(30, replicas.Sum(static r => r.GetProperty("applied").GetInt64()));
        Assert.True(cluster.GetProperty("peers").TryGetProperty(cluster.GetProperty("peer_id").GetRawText(), out _));
    }

    [Fact]
    public async Task A_collections_shards_are_its_replicas()
    {
        using var all = JsonDocument.Parse(await silo.Rest.GetStringAsync("/cluster"));
        using var answer = JsonDocument.Parse(await silo.Rest.GetStringAsync("/collections/told/cluster"));
        var shards = answer.RootElement.GetProperty("result");
        Assert.Equal(
            all.RootElement.GetProperty("result").GetProperty("peer_id").GetUInt64(), shards.GetProperty("peer_id").GetUInt64());
        Assert.Equal(3, shards.GetProperty("shard_count").GetInt32());
        var local = shards.GetProperty("local_shards").EnumerateArray().ToList();
        Assert.Equal([0, 1, 2], local.Select(static s => s.GetProperty("shard_id").GetInt32()));
        Assert.All(local, static s => Assert.Equal("Active", s.GetProperty("state").GetString()));
        Assert.Equal(30, local.Sum(static s => s.GetProperty("points_count").GetInt64()));
        Assert.Empty(shards.GetProperty("remote_shards").EnumerateArray());
    }

    [Fact]
    public async Task The_metrics_are_those_of_the_partitions_wherever_they_are()
    {
        var metrics = (await silo.Rest.GetStringAsync("/metrics")).Split('\n')
            .Where(static l => l.Length > 0 && l[0] != '#').Select(static l => l.Split(' '))
            .ToDictionary(static l => l[0], static l => double.Parse(l[1], CultureInfo.InvariantCulture));
        Assert.Equal(30, metrics["collection_points{id=\"told\"}"]);
        Assert.Equal(30, Enumerable.Range(0, 3).Sum(p => metrics[$"granary_operations_logged{{id=\"told\",partition=\"{p}\"}}"]));
        Assert.Equal(30, Enumerable.Range(0, 3).Sum(p => metrics[$"granary_operations_applied{{id=\"told\",partition=\"{p}\"}}"]));
        // The writers' own phase, told by the writers.
        Assert.True(metrics["granary_phase_total{id=\"told\",phase=\"append\"}"] >= 3);
        Assert.Equal(30, metrics["granary_phase_total{id=\"told\",phase=\"apply\"}"]);
        Assert.Equal(3, metrics["granary_silo_replicas{state=\"serving\"}"]);
        Assert.Equal(0, metrics["granary_silo_replicas{state=\"not_serving\"}"]);
        Assert.Equal(0, metrics["granary_silo_events_total{event=\"writer_reopened\"}"]);
    }
}
