using System.Buffers.Binary;

namespace Granary.Index.Checkpoints;

/// <summary>A section as it was written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Blocks">The CRC-32C of each block.</param>
internal sealed record ManifestSection(string Name, long Length, uint[] Blocks);

/// <summary>
/// The last section of a checkpoint, which makes the others readable: magic, format version, length of the body, body, CRC-32C of all
/// before; integers little-endian. The body: operation, linked operation, schema JSON, then each section's name, length and block
/// checksums.
/// </summary>
/// <param name="Operation">The newest operation in the image.</param>
/// <param name="LinkedOperation">Every operation up to it was linked.</param>
/// <param name="Schema">The schema as JSON.</param>
/// <param name="Sections">The other sections.</param>
internal sealed record Manifest(long Operation, long LinkedOperation, byte[] Schema, IReadOnlyList<ManifestSection> Sections)
{
    /// <summary>The section's name.</summary>
    public const string Name = "manifest";

    /// <summary>The section of the marks of computed vectors; there only where there are any, and then the format is 2.</summary>
    public const string Computed = "computed";

    private const uint Magic = 0x4D58_4E47; // "GNXM"
    private const int Version = 2;

    // Which vectors were computed: a version that does not know the section would take them for a client's.
    private int NeededVersion => Has(Computed) ? Version : 1;
    private const int HeadSize = 12;
    private const int MaxSize = 1 << 28;

    /// <summary>A damaged section.</summary>
    public static GranaryException Damaged(string section, long offset, string what) =>
        new(ErrorKind.Corrupted, $"Checkpoint section \"{section}\" is damaged at offset {offset}: {what}.");

    /// <summary>Writes the manifest.</summary>
    public void Write(Stream stream)
    {
        using var body = new MemoryStream();
        using var writer = new BinaryWriter(body);
        writer.Write(Magic);
        writer.Write(NeededVersion);
        writer.Write(0);
        writer.Write(Operation);
        writer.Write(LinkedOperation);
        writer.Write(Schema.Length);
        writer.Write(Schema);
        writer.Write(Sections.Count);
        foreach (var section in Sections)
        {
            writer.Write(section.Name);
            writer.Write(section.Length);
            writer.Write(section.Blocks.Length);
            foreach (var block in section.Blocks)
                writer.Write(block);
        }

        writer.Flush();
        var bytes = body.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), bytes.Length - HeadSize);
        stream.Write(bytes);
        Span<byte> crc = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, Crc32C.Compute(bytes));
        stream.Write(crc);
    }

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="GranaryException">It is damaged, or of a newer format.</exception>
    public static Manifest Read(Stream stream)
    {
        var head = new byte[HeadSize];
        var read = stream.ReadAtLeast(head, HeadSize, throwOnEndOfStream: false);
        if (read < HeadSize)
            throw Damaged(Name, read, "it ends there");
        if (BinaryPrimitives.ReadUInt32LittleEndian(head) != Magic)
            throw Damaged(Name, 0, "it does not begin as a manifest does");
        var version = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4));
        if (version is < 1 or > Version)
            throw new GranaryException(ErrorKind.Corrupted,
                $"Checkpoint section \"{Name}\" at offset 4: format {version} is not known, the newest known is {Version}.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8));
        if (length is < 0 or > MaxSize)
            throw Damaged(Name, 8, $"its length says {length}");
        var body = new byte[length + sizeof(uint)];
        read = stream.ReadAtLeast(body, body.Length, throwOnEndOfStream: false);
        if (read < body.Length)
            throw Damaged(Name, HeadSize + read, "it ends there");
        var crc = Crc32C.Append(Crc32C.Compute(head), body.AsSpan(0, length));
        if (crc != BinaryPrimitives.ReadUInt32LittleEndian(body.AsSpan(length)))
            throw Damaged(Name, 0, "its checksum is another");
        return Parse(body);
    }

    /// <summary>Whether there is a section of that name.</summary>
    public bool Has(string name) => Sections.Any(s => s.Name == name);

    /// <summary>The section of that name.</summary>
    /// <exception cref="GranaryException">There is none.</exception>
    public ManifestSection Find(string name) =>
        Sections.FirstOrDefault(s => s.Name == name) ?? throw Damaged(Name, 0, $"it names no section \"{name}\"");

    private static Manifest Parse(byte[] body)
    {
        using var reader = new BinaryReader(new MemoryStream(body));
        var operation = reader.ReadInt64();
        var linked = reader.ReadInt64();
        var schema = reader.ReadBytes(reader.ReadInt32());
        var sections = new ManifestSection[reader.ReadInt32()];
        for (var i = 0; i < sections.Length; i++)
        {
            var name = reader.ReadString();
            var length = reader.ReadInt64();
            var blocks = new uint[reader.ReadInt32()];
            for (var j = 0; j < blocks.Length; j++)
                blocks[j] = reader.ReadUInt32();
            sections[i] = new ManifestSection(name, length, blocks);
        }

        return new Manifest(operation, linked, schema, sections);
    }
}
