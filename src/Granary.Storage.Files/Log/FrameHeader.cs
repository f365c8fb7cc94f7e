using System.Buffers.Binary;
using Granary.Collections.Ports;
using Granary.Index.Checkpoints;

namespace Granary.Storage.Files.Log;

/// <summary>The 56 bytes before a record's operations (docs/formats.md).</summary>
/// <param name="Checksum">CRC32C of the segment's salt, the rest of the header and the operations.</param>
/// <param name="Length">Bytes of operations.</param>
/// <param name="Count">Operations.</param>
/// <param name="FirstOperation">The first one's number.</param>
/// <param name="BatchId">The batch.</param>
/// <param name="Synced">How many bytes of the segment were known to be on disk when this was written.</param>
/// <param name="Remaining">Records of the same group commit that follow; a group is whole or not there.</param>
internal readonly record struct FrameHeader(
    uint Checksum, int Length, int Count, long FirstOperation, Guid BatchId, long Synced, int Remaining)
{
    public const int Size = 56;
    public const uint Magic = 0x43455247; // "GREC"

    /// <summary>Bytes of the whole frame.</summary>
    public long FrameBytes => Size + (long)Length;

    /// <summary>Writes the frame's header for a record.</summary>
    public static void Write(Span<byte> target, in LogRecord record, ulong salt, long synced, int remaining)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], record.Operations.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], record.Count);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], record.FirstOperation);
        record.BatchId.TryWriteBytes(target[24..]);
        BinaryPrimitives.WriteInt64LittleEndian(target[40..], synced);
        BinaryPrimitives.WriteInt32LittleEndian(target[48..], remaining);
        BinaryPrimitives.WriteInt32LittleEndian(target[52..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Sum(target, record.Operations.Span, salt));
    }

    /// <summary>Reads a header whose magic matches; the values are not to be trusted before <see cref="Sum"/> agrees.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        header = new FrameHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            new Guid(bytes.Slice(24, 16)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[48..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic;
    }

    /// <summary>The checksum of a frame.</summary>
    public static uint Sum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> operations, ulong salt)
    {
        Span<byte> first = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(first, salt);
        return Crc32C.Append(Crc32C.Append(Crc32C.Compute(first), header[8..Size]), operations);
    }
}
