using Granary.Collections.Ports;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Checkpoints;

/// <summary>Writes a section through a buffer. The file stays open when the stream is disposed: publishing syncs and closes it.</summary>
internal sealed class SectionWriteStream(string path, IFile file, Action<long> closed) : Stream
{
    private readonly byte[] _buffer = new byte[128 << 10];
    private readonly ReadOnlyMemory<byte>[] _one = new ReadOnlyMemory<byte>[1];
    private int _buffered;
    private long _written;
    private bool _disposed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _written + _buffered;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (!buffer.IsEmpty)
        {
            var part = Math.Min(buffer.Length, _buffer.Length - _buffered);
            buffer[..part].CopyTo(_buffer.AsSpan(_buffered));
            buffer = buffer[part..];
            _buffered += part;
            if (_buffered == _buffer.Length)
                Flush();
        }
    }

    public override void Flush()
    {
        if (_buffered == 0)
            return;
        _one[0] = _buffer.AsMemory(0, _buffered);
        try
        {
            file.Write(_one, _written);
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            throw FileErrors.From("writing a checkpoint", path, e);
        }

        _written += _buffered;
        _buffered = 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Writes nothing more.</summary>
    public void Abandon() => _disposed = true;

    protected override void Dispose(bool disposing)
    {
        if (_disposed || !disposing)
            return;
        try
        {
            Flush();
            closed(_written);
        }
        finally
        {
            _disposed = true;
        }
    }
}

/// <summary>Reads a section; many may read one file at once.</summary>
internal sealed class SectionReadStream(IFile file, long length) : SectionStream(length)
{
    protected override int ReadAt(Span<byte> buffer, long position) => file.Read(buffer, position);
}
