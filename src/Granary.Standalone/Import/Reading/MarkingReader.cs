using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Granary.Standalone.Import.Reading;

/// <summary>
/// Decodes UTF-8, or UTF-16 behind a byte order mark. Bytes that are not UTF-8 become half a surrogate pair, which no valid text holds
/// alone, so that whoever reads on knows which record they stand in (<see cref="IsDamaged"/>) and loses no other.
/// </summary>
internal sealed class MarkingReader(Stream stream) : TextReader
{
    private const char Mark = '\uDC00';

    private readonly byte[] _bytes = new byte[1 << 16];
    private readonly char[] _chars = new char[1 << 14];
    private Decoder? _wide;
    private int _start;
    private int _end;
    private int _at;
    private int _count;
    private bool _begun;
    private bool _ended;

    /// <summary>Whether a text that was read here holds bytes that were not UTF-8.</summary>
    public static bool IsDamaged(ReadOnlySpan<char> text)
    {
        for (var i = 0; text[i..].IndexOfAnyInRange('\uDC00', '\uDFFF') is var at and >= 0; i += at + 1)
        {
            if (i + at == 0 || !char.IsHighSurrogate(text[i + at - 1]))
                return true;
        }

        return false;
    }

    public override async ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
    {
        while (_at == _count)
        {
            (_at, _count) = (0, Decode());
            if (_count == 0 && !await FillAsync(cancellationToken))
                return 0;
        }

        var count = Math.Min(buffer.Length, _count - _at);
        _chars.AsSpan(_at, count).CopyTo(buffer.Span);
        _at += count;
        return count;
    }

    /// <summary>Reads more bytes behind those that are no whole character yet. False: there is nothing left to decode.</summary>
    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_ended)
            return false;
        _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
        (_start, _end) = (0, _end - _start);
        do
        {
            var count = await stream.ReadAsync(_bytes.AsMemory(_end), cancellation);
            _ended = count == 0;
            _end += count;
        }
        while (!_ended && !_begun && _end < 3);
        if (!_begun)
            PassByteOrderMark();
        return _start < _end || !_ended;
    }

    private void PassByteOrderMark()
    {
        _begun = true;
        var head = _bytes.AsSpan(0, _end);
        if (head.StartsWith("\uFEFF"u8))
            _start = 3;
        else if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]))
            (_wide, _start) = (Encoding.Unicode.GetDecoder(), 2);
        else if (head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
            (_wide, _start) = (Encoding.BigEndianUnicode.GetDecoder(), 2);
    }

    private int Decode()
    {
        if (_wide is not null)
        {
            _wide.Convert(_bytes.AsSpan(_start, _end - _start), _chars, _ended, out var used, out var made, out _);
            _start += used;
            return made;
        }

        var written = 0;
        while (_start < _end && written < _chars.Length)
        {
            var status = Utf8.ToUtf16(
                _bytes.AsSpan(_start, _end - _start), _chars.AsSpan(written), out var read, out var count,
                replaceInvalidSequences: false, isFinalBlock: _ended);
            _start += read;
            written += count;
            if (status != OperationStatus.InvalidData || written == _chars.Length)
                break;
            Rune.DecodeFromUtf8(_bytes.AsSpan(_start, _end - _start), out _, out var bad);
            _start += bad;
            _chars[written++] = Mark;
        }

        return written;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            stream.Dispose();
        base.Dispose(disposing);
    }
}
