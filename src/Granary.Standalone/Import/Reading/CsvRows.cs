using System.Text;

namespace Granary.Standalone.Import.Reading;

/// <summary>The rows of a CSV text (RFC 4180): commas, quotes doubled inside quotes, line ends inside quotes.</summary>
internal sealed class CsvRows(TextReader reader)
{
    /// <summary>The longest row, characters: a quote that is never closed must not swallow the file.</summary>
    private const int LongestRow = 16 << 20;

    private readonly char[] _buffer = new char[1 << 14];
    private readonly StringBuilder _field = new();
    private int _at;
    private int _end;
    private long _nextLine = 1;

    /// <summary>The fields of the row read last.</summary>
    public List<string> Fields { get; } = [];

    /// <summary>The line it begins at, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>What is wrong with it; null when nothing.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads the next row. False: there is none.</summary>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellation)
    {
        Fields.Clear();
        _field.Clear();
        Problem = null;
        Line = _nextLine;
        var length = 0;
        var (quoted, closed, any) = (false, false, false);
        while (true)
        {
            if (_at == _end && !await FillAsync(cancellation))
            {
                if (quoted)
                    Problem = "a quote is not closed";
                if (any)
                    EndField();
                return any;
            }

            var c = _buffer[_at++];
            any = true;
            if (++length > LongestRow)
                throw new InvalidDataException($"line {Line}: the row is longer than {LongestRow} characters (is a quote not closed?)");
            if (c == '\n')
                _nextLine++;
            if (quoted)
            {
                if (c != '"')
                    _field.Append(c);
                else if ((_at < _end || await FillAsync(cancellation)) && _buffer[_at] == '"')
                    _field.Append(_buffer[_at++]);
                else
                    (quoted, closed) = (false, true);
                continue;
            }

            switch (c)
            {
                case '"' when _field.Length == 0 && !closed:
                    quoted = true;
                    break;
                case ',':
                    EndField();
                    closed = false;
                    break;
                case '\n':
                    EndField();
                    return true;
                case '\r':
                    break;
                default:
                    if (c == '"' || closed)
                        Problem ??= $"column {Fields.Count + 1}: a quote stands inside a field that is not quoted as a whole";
                    _field.Append(c);
                    break;
            }
        }
    }

    private void EndField()
    {
        var field = _field.ToString();
        if (MarkingReader.IsDamaged(field))
            Problem ??= $"column {Fields.Count + 1}: the text is not valid UTF-8";
        Fields.Add(field);
        _field.Clear();
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        (_at, _end) = (0, await reader.ReadAsync(_buffer.AsMemory(), cancellation));
        return _end > 0;
    }
}
