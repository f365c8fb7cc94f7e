using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Granary.Index;

namespace Granary.Collections.Wire;

/// <summary>
/// Writes the primitives of the wire format into a growing pooled buffer: LEB128 varints (signed ones zigzag), little-endian floats,
/// strings and arrays behind their lengths. Dispose it to give the buffer back.
/// </summary>
public sealed class WireWriter : IDisposable
{
    /// <summary>The most bytes a message may have.</summary>
    public const int MaxBytes = 1 << 30;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1024);
    private int _length;

    /// <summary>All written so far; until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>A copy of all written so far.</summary>
    public byte[] ToArray() => Written.ToArray();

    /// <summary>One byte.</summary>
    public void Byte(byte value) => Take(1)[0] = value;

    /// <summary>A truth value, one byte.</summary>
    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    /// <summary>An unsigned varint, 1 to 10 bytes.</summary>
    public void Unsigned(ulong value)
    {
        if (_buffer.Length - _length < 10)
            Grow(10);
        var buffer = _buffer;
        var at = _length;
        for (; value >= 0x80; value >>= 7)
            buffer[at++] = (byte)(value | 0x80);
        buffer[at++] = (byte)value;
        _length = at;
    }

    /// <summary>A signed varint (zigzag), 1 to 10 bytes.</summary>
    public void Signed(long value) => Unsigned((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>A number of elements.</summary>
    public void Count(int count) => Unsigned((uint)count);

    /// <summary>A float, bit for bit.</summary>
    public void Float(float value) => BinaryPrimitives.WriteSingleLittleEndian(Take(4), value);

    /// <summary>A double, bit for bit.</summary>
    public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);

    /// <summary>
    /// A string: twice its length in bytes (plus 1 for UTF-16), then its UTF-8; a string with half a surrogate pair, which UTF-8 cannot
    /// tell, as UTF-16.
    /// </summary>
    public void String(string value)
    {
        var start = _length;
        var bytes = Encoding.UTF8.GetByteCount(value);
        Unsigned((ulong)bytes << 1);
        if (Utf8.FromUtf16(value, Take(bytes), out _, out var written, replaceInvalidSequences: false) == OperationStatus.Done
            && written == bytes)
        {
            return;
        }

        _length = start;
        Unsigned(((ulong)value.Length << 2) | 1);
        MemoryMarshal.AsBytes(value.AsSpan()).CopyTo(Take(value.Length * 2L));
    }

    /// <summary>Bytes behind their number.</summary>
    public void Blob(ReadOnlySpan<byte> bytes)
    {
        Count(bytes.Length);
        bytes.CopyTo(Take(bytes.Length));
    }

    /// <summary>Floats behind their number.</summary>
    public void Floats(ReadOnlySpan<float> values)
    {
        Count(values.Length);
        MemoryMarshal.AsBytes(values).CopyTo(Take(values.Length * 4L));
    }

    /// <summary>Unsigned 32-bit integers behind their number, 4 bytes each.</summary>
    public void UInts(ReadOnlySpan<uint> values)
    {
        Count(values.Length);
        MemoryMarshal.AsBytes(values).CopyTo(Take(values.Length * 4L));
    }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        var buffer = _buffer;
        (_buffer, _length) = ([], 0);
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    internal Span<byte> Take(long size)
    {
        if (_buffer.Length - _length < size)
            Grow(size);
        var span = _buffer.AsSpan(_length, (int)size);
        _length += (int)size;
        return span;
    }

    private void Grow(long size)
    {
        var needed = _length + size;
        if (needed > MaxBytes)
        {
            throw GranaryException.BadInput(
                $"A message between nodes would have more than {MaxBytes} bytes: ask for fewer points, or without vectors or payload");
        }

        var bigger = ArrayPool<byte>.Shared.Rent((int)Math.Min(MaxBytes, Math.Max(needed, _buffer.Length * 2L)));
        Written.CopyTo(bigger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = bigger;
    }
}
