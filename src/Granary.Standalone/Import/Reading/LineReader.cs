namespace Granary.Standalone.Import.Reading;

/// <summary>Reads lines as bytes, reusing one buffer. A line longer than the limit is passed over and told as such.</summary>
internal sealed class LineReader(Stream stream, int limit)
{
    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>The number of the line read last, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>The line read last, without its end; valid until the next is read.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    /// <summary>Whether the line read last was longer than the limit; it is then empty here.</summary>
    public bool TooLong { get; private set; }

    /// <summary>Reads the next line. False: there is none.</summary>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellation)
    {
        var searched = _start;
        TooLong = false;
        while (true)
        {
            var at = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                Take(searched + at, searched + at + 1);
                return true;
            }

            if (_ended)
            {
                if (_start == _end && !TooLong)
                    return false;
                Take(_end, _end);
                return true;
            }

            searched = _end;
            if (_end - _start > limit)
            {
                // The rest of the line is read and dropped.
                TooLong = true;
                searched = _start = _end = 0;
            }

            var moved = MakeRoom();
            searched -= moved;
            var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
            _ended = count == 0;
            _end += count;
        }
    }

    private void Take(int end, int next)
    {
        Number++;
        var line = _buffer.AsMemory(_start, end - _start);
        if (line.Length > 0 && line.Span[^1] == '\r')
            line = line[..^1];
        if (Number == 1 && line.Span.StartsWith("\uFEFF"u8))
            line = line[3..];
        TooLong |= line.Length > limit;
        Line = TooLong ? default : line;
        _start = next;
    }

    /// <summary>Moves the unread bytes to the front or doubles the buffer; returns by how much they moved.</summary>
    private int MakeRoom()
    {
        if (_end < _buffer.Length)
            return 0;
        var moved = _start;
        if (moved == 0)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        else
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
        (_start, _end) = (0, _end - moved);
        return moved;
    }
}
