using System.Text;

namespace Granary.Index.Payload;

public sealed partial class PayloadStore
{
    private const int ImageVersion = 1;

    /// <summary>Writes every payload. Called by the writing thread.</summary>
    public void Save(Stream stream) => Save(stream, SlotBound, static _ => true);

    /// <summary>
    /// Writes the payloads of the slots below a bound that <paramref name="has"/> names. Others may be written meanwhile, these not freed.
    /// </summary>
    internal void Save(Stream stream, int bound, Func<int, bool> has)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(ImageVersion);
        writer.Write(bound);
        for (var slot = 0; slot < bound; slot++)
        {
            var json = has(slot) ? Get(slot) : default;
            writer.Write7BitEncodedInt(json.Length);
            writer.Write(json);
        }
    }

    /// <summary>Reads what <see cref="Save(Stream)"/> wrote.</summary>
    /// <exception cref="GranaryException">The image has another version or ends early.</exception>
    public static PayloadStore Load(Stream stream)
    {
        var store = new PayloadStore();
        try
        {
            using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
            var version = reader.ReadInt32();
            if (version != ImageVersion)
                throw new GranaryException(ErrorKind.Corrupted, $"Payload image version {version} is not {ImageVersion}.");
            var bound = reader.ReadInt32();
            byte[] buffer = new byte[4096];
            for (var slot = 0; slot < bound; slot++)
            {
                var length = reader.Read7BitEncodedInt();
                if (length > buffer.Length)
                    buffer = new byte[Math.Max(length, buffer.Length * 2)];
                reader.BaseStream.ReadExactly(buffer, 0, length);
                store.Set(slot, buffer.AsSpan(0, length));
            }

            return store;
        }
        catch (EndOfStreamException e)
        {
            store.Dispose();
            throw new GranaryException(ErrorKind.Corrupted, "The payload image ends early.", e);
        }
    }
}
