using Granary.Collections.Ports;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Log;

/// <summary>Reads frames one after another through a small buffer; memory is bounded by the buffer and the longest record.</summary>
internal sealed class FrameReader(IFile file, ulong salt, long start, long end)
{
    private const int BufferBytes = 64 << 10;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private long _bufferStart;
    private int _buffered;
    private byte[] _scratch = [];

    /// <summary>Where the next frame begins.</summary>
    public long Offset { get; private set; } = start;

    /// <summary>What stopped <see cref="TryRead"/>; null at a clean end.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads the next frame.</summary>
    /// <param name="keep">Whether the operations are needed after the next call; otherwise their memory is used again.</param>
    /// <param name="header">Its header.</param>
    /// <param name="record">Its record.</param>
    /// <returns>False at the end, or where no whole frame is; then <see cref="Problem"/> says why.</returns>
    public bool TryRead(bool keep, out FrameHeader header, out LogRecord record)
    {
        record = default;
        header = default;
        Problem = null;
        var left = end - Offset;
        if (left == 0)
            return false;
        if (left < FrameHeader.Size)
            return Fail($"{left} bytes are left, fewer than a record's header");

        Span<byte> head = stackalloc byte[FrameHeader.Size];
        if (!Fill(head, Offset))
            return Fail("the file is shorter than it was");
        if (!FrameHeader.TryParse(head, out header))
            return Fail(head.IndexOfAnyExcept((byte)0) < 0 ? "zeros in place of a record" : "no record begins here");
        if (header.Length < 0 || header.Length > left - FrameHeader.Size)
            return Fail($"the record's {header.Length} bytes go beyond the end of the file");

        var bytes = keep ? new byte[header.Length] : Scratch(header.Length);
        var operations = bytes.AsMemory(0, header.Length);
        if (!Fill(operations.Span, Offset + FrameHeader.Size))
            return Fail("the file is shorter than it was");
        if (FrameHeader.Sum(head, operations.Span, salt) != header.Checksum)
            return Fail("the record's checksum does not match");

        record = new LogRecord(header.FirstOperation, header.Count, header.BatchId, operations);
        Offset += header.FrameBytes;
        return true;
    }

    private bool Fail(string problem)
    {
        Problem = problem;
        return false;
    }

    private byte[] Scratch(int length)
    {
        if (_scratch.Length < length)
            _scratch = new byte[Math.Max(length, (int)Math.Min(Array.MaxLength, _scratch.Length * 2L))];
        return _scratch;
    }

    private bool Fill(Span<byte> target, long offset)
    {
        if (target.Length > BufferBytes)
            return file.Read(target, offset) == target.Length;
        if (offset < _bufferStart || offset + target.Length > _bufferStart + _buffered)
        {
            _bufferStart = offset;
            _buffered = file.Read(_buffer.AsSpan(0, (int)Math.Min(BufferBytes, end - offset)), offset);
            if (_buffered < target.Length)
                return false;
        }

        _buffer.AsSpan((int)(offset - _bufferStart), target.Length).CopyTo(target);
        return true;
    }
}
