using System.Globalization;
using Granary.Collections.Ports;

namespace Granary.Grains.Interfaces;

/// <summary>Keys of grains: of a partition <c>incarnation/number</c>, of a replica <c>incarnation/number/replica</c>.</summary>
public static class GrainKeys
{
    /// <summary>The namespace of the streams that carry doorbells; a stream's key is its replica's grain key.</summary>
    public const string StreamNamespace = "granary";

    /// <summary>The stream provider's name.</summary>
    public const string StreamProvider = "granary";

    /// <summary>Of a partition's collection grain.</summary>
    public static string Of(PartitionKey partition) => partition.ToString();

    /// <summary>Of a replica's indexer grain.</summary>
    public static string Of(PartitionKey partition, int replica) => string.Create(CultureInfo.InvariantCulture, $"{partition}/{replica}");

    /// <summary>Reads either; the replica is 0 for a partition's.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static (PartitionKey Partition, int Replica) Parse(string key)
    {
        var parts = key.Split('/');
        if (parts.Length is not (2 or 3))
            throw new FormatException($"`{key}` is no key of a partition or a replica");
        var partition = new PartitionKey(Guid.ParseExact(parts[0], "N"), int.Parse(parts[1], CultureInfo.InvariantCulture));
        return (partition, parts.Length == 3 ? int.Parse(parts[2], CultureInfo.InvariantCulture) : 0);
    }
}
