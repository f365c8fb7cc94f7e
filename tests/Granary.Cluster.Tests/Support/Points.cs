using System.Globalization;

namespace Granary.Cluster.Tests.Support;

/// <summary>Bodies of requests: points whose vector, text and payload follow from id and version.</summary>
internal static class Points
{
    private const int Dimensions = 8;
    private static readonly string[] Words =
        ["alder", "beech", "birch", "cedar", "elm", "fir", "hazel", "larch", "linden", "maple", "oak", "pine", "poplar", "rowan", "willow"];

    /// <summary>The body that creates a collection of them.</summary>
    public static string Collection(int partitions, int replicas) => string.Create(CultureInfo.InvariantCulture,
        $$$"""
        {"vectors":{"size":{{{Dimensions}}},"distance":"Dot"},"text":{"words":{"path":"words"}},
         "shard_number":{{{partitions}}},"replication_factor":{{{replicas}}}}
        """);

    /// <summary>The body that writes points of one version.</summary>
    public static string Upsert(IEnumerable<int> ids, long version) =>
        $$"""{"points":[{{string.Join(',', ids.Select(id => One(id, version)))}}]}""";

    /// <summary>The body that deletes points.</summary>
    public static string Delete(IEnumerable<int> ids) => $$"""{"points":[{{string.Join(',', ids)}}]}""";

    /// <summary>The body that notes something in points that are there.</summary>
    public static string SetNote(IEnumerable<int> ids, long note) => string.Create(CultureInfo.InvariantCulture,
        $$$"""{"payload":{"note":{{{note}}}},"points":[{{{string.Join(',', ids)}}}]}""");

    public static string VersionIs(long version) => string.Create(CultureInfo.InvariantCulture,
        $$$"""{"must":[{"key":"version","match":{"value":{{{version}}}}}]}""");

    /// <summary>A vector. Its values are small multiples of 1/64: sums of their products are exact in any order.</summary>
    public static float[] Values(int id, long version)
    {
        var random = new Random(HashCode(id, version));
        return [.. Enumerable.Range(0, Dimensions).Select(_ => (random.Next(256) - 128) / 64f)];
    }

    /// <summary>The same as JSON.</summary>
    public static string Vector(int id, long version) =>
        $"[{string.Join(',', Values(id, version).Select(static v => v.ToString(CultureInfo.InvariantCulture)))}]";

    /// <summary>Some words.</summary>
    public static string Text(int id, long version)
    {
        var random = new Random(HashCode(version, id));
        return string.Join(' ', Enumerable.Range(0, random.Next(1, 8)).Select(_ => Words[random.Next(Words.Length)]));
    }

    private static string One(int id, long version) => string.Create(CultureInfo.InvariantCulture,
        $$$"""{"id":{{{id}}},"vector":{{{Vector(id, version)}}},"payload":{"version":{{{version}}},"words":"{{{Text(id, version)}}}"}}""");

    private static int HashCode(long a, long b) => (int)(((a * 0x9E3779B1) ^ (b * 0x85EBCA6B)) & int.MaxValue);
}
