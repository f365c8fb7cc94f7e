namespace Granary.Index.Checkpoints;

/// <summary>Writes a section and takes the CRC-32C of each of its blocks.</summary>
internal sealed class BlockWriter(string name, Stream inner) : Stream
{
    /// <summary>Bytes of a block; the last one may be shorter.</summary>
    public const int BlockSize = 1 << 20;

    private readonly List<uint> _blocks = [];
    private uint _crc;
    private int _filled;
    private long _length;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => _length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <summary>What the manifest says of the section; call it when everything is written.</summary>
    public ManifestSection Describe() => new(name, _length, _filled > 0 ? [.. _blocks, _crc] : [.. _blocks]);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        inner.Write(buffer);
        _length += buffer.Length;
        while (!buffer.IsEmpty)
        {
            var part = buffer[..Math.Min(buffer.Length, BlockSize - _filled)];
            _crc = Crc32C.Append(_crc, part);
            _filled += part.Length;
            buffer = buffer[part.Length..];
            if (_filled < BlockSize)
                continue;
            _blocks.Add(_crc);
            (_crc, _filled) = (0, 0);
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
