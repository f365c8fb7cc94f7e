using System.Buffers.Binary;
using System.Text;

namespace Granary.Index.Postings;

/// <summary>
/// Writes numbers and bytes in frames of at most 64 KiB, each behind its length (uint32 little-endian); an empty frame ends the
/// image, so that a reader never reads beyond it.
/// </summary>
internal sealed class FrameWriter(Stream stream)
{
    internal const int FrameSize = 1 << 16;
    private readonly byte[] _frame = new byte[FrameSize];
    private int _used;

    public void WriteNumber(uint value)
    {
        if (_used + 5 > FrameSize)
            Flush();
        _used += Varint.Write(value, _frame.AsSpan(_used));
    }

    /// <summary>Writes a number that may be -1 or above.</summary>
    public void WriteSigned(int value) => WriteNumber((uint)(value + 1));

    public void WriteLong(long value)
    {
        WriteNumber((uint)value);
        WriteNumber((uint)(value >> 32));
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        WriteNumber((uint)bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (_used == FrameSize)
                Flush();
            var part = bytes[..Math.Min(bytes.Length, FrameSize - _used)];
            part.CopyTo(_frame.AsSpan(_used));
            _used += part.Length;
            bytes = bytes[part.Length..];
        }
    }

    public void WriteString(string text) => WriteBytes(Encoding.UTF8.GetBytes(text));

    /// <summary>Ends the image.</summary>
    public void End()
    {
        Flush();
        stream.Write(stackalloc byte[4]);
    }

    private void Flush()
    {
        if (_used == 0)
            return;
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)_used);
        stream.Write(length);
        stream.Write(_frame.AsSpan(0, _used));
        _used = 0;
    }
}
