namespace Granary.Collections.Ports;

/// <summary>A section of a checkpoint as a stream that reads and seeks; a storage says where its bytes come from.</summary>
/// <param name="length">Bytes of the section.</param>
public abstract class SectionStream(long length) : Stream
{
    private long _position;

    /// <inheritdoc/>
    public sealed override bool CanRead => true;

    /// <inheritdoc/>
    public sealed override bool CanSeek => true;

    /// <inheritdoc/>
    public sealed override bool CanWrite => false;

    /// <inheritdoc/>
    public sealed override long Length => length;

    /// <inheritdoc/>
    public sealed override long Position
    {
        get => _position;
        set => _position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "a position is 0 or more");
    }

    /// <inheritdoc/>
    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public sealed override int Read(Span<byte> buffer)
    {
        var part = (int)Math.Min(buffer.Length, Math.Max(0, length - _position));
        if (part == 0)
            return 0;
        var read = ReadAt(buffer[..part], _position);
        _position += read;
        return read;
    }

    /// <inheritdoc/>
    public sealed override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => _position,
        _ => length,
    };

    /// <inheritdoc/>
    public sealed override void Flush()
    {
    }

    /// <inheritdoc/>
    public sealed override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>
    /// Reads bytes that begin at a position; fewer than wanted where that is easier, but at least one. All of them lie in the section.
    /// </summary>
    protected abstract int ReadAt(Span<byte> buffer, long position);
}
