using System.Buffers.Binary;

namespace Granary.Index.Search;

/// <summary>
/// The order in which <see cref="SampleLeg"/> takes points; merging partitions by it gives the same choice as one partition.
/// </summary>
public static class SampleOrder
{
    /// <summary>A point's place: a hash of the seed and the id, finished with the splitmix64 mixer.</summary>
    public static ulong Key(ulong seed, PointId id)
    {
        Span<byte> bytes = stackalloc byte[PointId.EncodedSize];
        id.Encode(bytes);
        var hash = Mix(seed + bytes[0] + 0x9E3779B97F4A7C15UL);
        hash = Mix(hash ^ BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]));
        return Mix(hash + 0x9E3779B97F4A7C15UL ^ BinaryPrimitives.ReadUInt64BigEndian(bytes[9..]));
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
