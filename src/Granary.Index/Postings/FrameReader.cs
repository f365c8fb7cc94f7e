using System.Buffers.Binary;
using System.Text;

namespace Granary.Index.Postings;

/// <summary>Reads what <see cref="FrameWriter"/> wrote; whatever is wrong with it is a <see cref="ErrorKind.Corrupted"/> error naming the
/// field.</summary>
internal sealed class FrameReader(Stream stream, string field)
{
    private readonly byte[] _frame = new byte[FrameWriter.FrameSize];
    private int _length;
    private int _at;

    public uint ReadNumber()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var part = ReadByte();
            value |= (uint)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw Corrupted("a number is too long");
    }

    public int ReadSigned() => (int)ReadNumber() - 1;

    public long ReadLong() => ReadNumber() | ((long)ReadNumber() << 32);

    /// <summary>A number that must be below a limit, so that a damaged one cannot ask for all memory.</summary>
    public int ReadCount(long limit, string what)
    {
        var count = ReadNumber();
        return count <= limit && count <= int.MaxValue ? (int)count : throw Corrupted($"{what} {count} is above {limit}");
    }

    public byte[] ReadBytes(string what)
    {
        var length = ReadCount(1 << 30, what);
        var bytes = new byte[Math.Min(length, 1 << 20)];
        var filled = 0;
        while (filled < length)
        {
            // Grown as data comes: a damaged length runs out of frames before it runs out of memory.
            if (filled == bytes.Length)
                Array.Resize(ref bytes, (int)Math.Min(length, bytes.Length * 2L));
            bytes[filled++] = ReadByte();
            var part = Math.Min(Math.Min(bytes.Length, length) - filled, _length - _at);
            _frame.AsSpan(_at, part).CopyTo(bytes.AsSpan(filled));
            _at += part;
            filled += part;
        }

        return bytes;
    }

    public string ReadString(string what) => Encoding.UTF8.GetString(ReadBytes(what));

    /// <summary>Checks that the image ends here.</summary>
    public void End()
    {
        if (_at != _length || NextFrame())
            throw Corrupted("there is data behind its end");
    }

    public GranaryException Corrupted(string what, Exception? inner = null) =>
        new(ErrorKind.Corrupted, $"the image of \"{field}\" is damaged: {what}", inner);

    private byte ReadByte()
    {
        if (_at == _length && !NextFrame())
            throw Corrupted("it ends early");
        return _frame[_at++];
    }

    private bool NextFrame()
    {
        Span<byte> length = stackalloc byte[4];
        try
        {
            stream.ReadExactly(length);
            var size = BinaryPrimitives.ReadUInt32LittleEndian(length);
            if (size > FrameWriter.FrameSize)
                throw Corrupted($"a frame of {size} bytes is above {FrameWriter.FrameSize}");
            _length = (int)size;
            _at = 0;
            stream.ReadExactly(_frame.AsSpan(0, _length));
            return _length > 0;
        }
        catch (EndOfStreamException end)
        {
            throw Corrupted("it ends early", end);
        }
    }
}
