using System.Buffers.Binary;
using Granary.Collections.Ports;
using Granary.Index.Checkpoints;

namespace Granary.Storage.Files.Log;

/// <summary>The first 64 bytes of a segment (docs/formats.md).</summary>
/// <param name="Partition">Whose log it is.</param>
/// <param name="FirstOperation">The number of the first operation it holds or will hold.</param>
/// <param name="Salt">Random; goes into every record's checksum, so that no record of elsewhere, or inside a payload, passes for one of
/// this segment.</param>
internal readonly record struct SegmentHeader(PartitionKey Partition, long FirstOperation, ulong Salt)
{
    public const int Size = 64;
    private const ulong Magic = 0x31474F4C4E415247; // "GRANLOG1"

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        Partition.Incarnation.TryWriteBytes(bytes.AsSpan(16));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(32), Partition.Number);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), FirstOperation);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(48), Salt);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Crc32C.Compute(bytes.AsSpan(12)));
        return bytes;
    }

    /// <summary>Reads a header; says what is wrong with it, or null.</summary>
    public static string? TryParse(ReadOnlySpan<byte> bytes, out SegmentHeader header)
    {
        header = default;
        if (bytes.Length < Size)
            return $"the header has {bytes.Length} of {Size} bytes";
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
            return "this is not a log segment";
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Crc32C.Compute(bytes[12..Size]))
            return "the header's checksum does not match";
        header = new SegmentHeader(
            new PartitionKey(new Guid(bytes.Slice(16, 16)), BinaryPrimitives.ReadInt32LittleEndian(bytes[32..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]));
        return null;
    }
}
