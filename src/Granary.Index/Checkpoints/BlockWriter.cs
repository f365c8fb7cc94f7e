using System.Buffers;

namespace Granary.Index.Checkpoints;

/// <summary>
/// Writes a section and takes the CRC-32C of each of its blocks. What is handed in is copied first: memory that changes while it is read
/// still gets the checksum of what is written.
/// </summary>
internal sealed class BlockWriter(string name, Stream inner) : Stream
{
    /// <summary>Bytes of a block; the last one may be shorter.</summary>
    public const int BlockSize = 1 << 20;

    private readonly List<uint> _blocks = [];
    private byte[] _block = ArrayPool<byte>.Shared.Rent(BlockSize);
    private int _filled;
    private int _written;
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
    public ManifestSection Describe()
    {
        Flush();
        return new(name, _length, _filled > 0 ? [.. _blocks, Crc32C.Compute(_block.AsSpan(0, _filled))] : [.. _blocks]);
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _length += buffer.Length;
        while (!buffer.IsEmpty)
        {
            var part = buffer[..Math.Min(buffer.Length, BlockSize - _filled)];
            part.CopyTo(_block.AsSpan(_filled));
            _filled += part.Length;
            buffer = buffer[part.Length..];
            if (_filled < BlockSize)
                continue;
            PassOn();
            _blocks.Add(Crc32C.Compute(_block.AsSpan(0, BlockSize)));
            (_filled, _written) = (0, 0);
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        PassOn();
        inner.Flush();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _block.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = [];
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void PassOn()
    {
        inner.Write(_block.AsSpan(_written, _filled - _written));
        _written = _filled;
    }
}
