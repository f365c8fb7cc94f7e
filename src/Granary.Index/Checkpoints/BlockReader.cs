using System.Buffers;

namespace Granary.Index.Checkpoints;

/// <summary>Reads a section and gives out no byte of a block before the whole block has its CRC-32C.</summary>
internal sealed class BlockReader(ManifestSection section, Stream inner) : Stream
{
    private byte[] _block = ArrayPool<byte>.Shared.Rent(BlockWriter.BlockSize);
    private long _given;
    private int _next;
    private int _end;
    private int _index;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => section.Length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _given;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || (_next == _end && !Fill()))
            return 0;
        var count = Math.Min(buffer.Length, _end - _next);
        _block.AsSpan(_next, count).CopyTo(buffer);
        _next += count;
        _given += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

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

    private bool Fill()
    {
        if (_index == section.Blocks.Length)
            return false;
        var start = (long)_index * BlockWriter.BlockSize;
        var size = (int)Math.Min(BlockWriter.BlockSize, section.Length - start);
        var read = inner.ReadAtLeast(_block.AsSpan(0, size), size, throwOnEndOfStream: false);
        if (read < size)
            throw Manifest.Damaged(section.Name, start + read, $"it ends there, {section.Length} bytes were written");
        var crc = Crc32C.Compute(_block.AsSpan(0, size));
        if (crc != section.Blocks[_index])
            throw Manifest.Damaged(section.Name, start,
                $"the block of {size} bytes has checksum {crc:X8}, written was {section.Blocks[_index]:X8}");
        _index++;
        (_next, _end) = (0, size);
        return true;
    }
}
