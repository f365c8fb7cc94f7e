using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Granary.Collections;

namespace Granary.Http.Responses;

/// <summary>The cluster in Qdrant's shape, with the members' replicas beside it.</summary>
internal static class ClusterView
{
    public static JsonObject Build(ClusterInfo cluster)
    {
        var peers = new JsonObject();
        foreach (var member in cluster.Members)
            peers[PeerId(member.Address)] = new JsonObject { ["uri"] = member.Address };
        return new JsonObject
        {
            ["status"] = "enabled",
            ["peer_id"] = Number(cluster.Here),
            ["peers"] = peers,
            ["raft_info"] = new JsonObject
            {
                ["term"] = 0,
                ["commit"] = 0,
                ["pending_operations"] = 0,
                ["leader"] = null,
                ["role"] = null,
                ["is_voter"] = true,
            },
            ["consensus_thread_status"] = new JsonObject { ["consensus_thread_status"] = "stopped", ["last_update"] = null },
            ["message_send_failures"] = new JsonObject(),
            ["name"] = cluster.Name,
            ["members"] = new JsonArray([.. cluster.Members.Select(Member)]),
        };
    }

    /// <summary>
    /// A collection's replicas as Qdrant's shards: of the silo that answers, and of the others. One that serves is active; one that opens,
    /// catches up or stands by is partial.
    /// </summary>
    public static JsonObject Shards(ClusterInfo cluster, CollectionInfo info)
    {
        var local = new JsonArray();
        var remote = new JsonArray();
        foreach (var member in cluster.Members)
        {
            foreach (var replica in member.Replicas.Where(r => r.Collection == info.Name).OrderBy(static r => r.Partition))
            {
                var shard = new JsonObject { ["shard_id"] = replica.Partition };
                if (member.Address == cluster.Here)
                    shard["points_count"] = info.Partitions.FirstOrDefault(p => p.Number == replica.Partition)?.Points ?? 0;
                else
                    shard["peer_id"] = Number(member.Address);
                shard["state"] = replica.Serves ? "Active" : "Partial";
                (member.Address == cluster.Here ? local : remote).Add(shard);
            }
        }

        return new JsonObject
        {
            ["peer_id"] = Number(cluster.Here),
            ["shard_count"] = info.Partitions.Length,
            ["local_shards"] = local,
            ["remote_shards"] = remote,
            ["shard_transfers"] = new JsonArray(),
        };
    }

    private static ulong Number(string address) => ulong.Parse(PeerId(address), CultureInfo.InvariantCulture);

    private static JsonNode Member(ClusterMember member) => new JsonObject
    {
        ["address"] = member.Address,
        ["state"] = member.State,
        ["replicas"] = new JsonArray([.. member.Replicas.Select(JsonNode (r) => new JsonObject
        {
            ["collection"] = r.Collection,
            ["partition"] = r.Partition,
            ["replica"] = r.Replica,
            ["state"] = r.State,
            ["applied"] = r.Applied,
        })]),
    };

    /// <summary>Qdrant's clients want a number: a fixed hash of the address, within the integers that JSON readers keep exact.</summary>
    private static string PeerId(string address) =>
        (BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(address))) & ((1UL << 53) - 1))
            .ToString(CultureInfo.InvariantCulture);
}
