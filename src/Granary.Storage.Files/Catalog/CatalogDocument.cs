using System.Buffers.Binary;
using System.Text;
using Granary.Collections.Ports;
using Granary.Index.Checkpoints;

namespace Granary.Storage.Files.Catalog;

/// <summary>The bytes of the catalog's file (docs/formats.md): a header, then every entry.</summary>
internal static class CatalogDocument
{
    private const ulong Magic = 0x3154_4143_4E41_5247; // "GRANCAT1"
    private const int HeaderSize = 24;

    public static byte[] ToBytes(IReadOnlyCollection<CatalogEntry> entries)
    {
        var bytes = new byte[HeaderSize + entries.Sum(e => 16 + Encoding.UTF8.GetByteCount(e.Key) + e.Value.Length)];
        var at = HeaderSize;
        foreach (var entry in entries)
        {
            var key = Encoding.UTF8.GetBytes(entry.Key, bytes.AsSpan(at + 16));
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), key);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at + 4), entry.Value.Length);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 8), entry.Version);
            entry.Value.Span.CopyTo(bytes.AsSpan(at + 16 + key));
            at += 16 + key + entry.Value.Length;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Crc32C.Compute(bytes.AsSpan(12)));
        return bytes;
    }

    /// <exception cref="Index.GranaryException">The file is damaged.</exception>
    public static List<CatalogEntry> Parse(string path, byte[] bytes)
    {
        if (bytes.Length < HeaderSize)
            throw FileErrors.Corrupted(path, bytes.Length, $"the header has {bytes.Length} of {HeaderSize} bytes");
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
            throw FileErrors.Corrupted(path, 0, "this is not a catalog");
        if (BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)) != bytes.Length)
            throw FileErrors.Corrupted(path, 16, $"it has {bytes.Length} bytes, not the "
                + $"{BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16))} it was written with");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)) != Crc32C.Compute(bytes.AsSpan(12)))
            throw FileErrors.Corrupted(path, 8, "its checksum does not match");

        var entries = new List<CatalogEntry>();
        var at = HeaderSize;
        for (var left = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)); left > 0; left--)
        {
            var key = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            var value = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            var version = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8));
            entries.Add(new CatalogEntry(Encoding.UTF8.GetString(bytes, at + 16, key), version, bytes.AsMemory(at + 16 + key, value)));
            at += 16 + key + value;
        }

        return entries;
    }
}
