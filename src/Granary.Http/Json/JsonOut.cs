using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Granary.Http.Hosting;
using Granary.Index;

namespace Granary.Http.Json;

/// <summary>Writes JSON as UTF-8 into a pooled buffer. It puts no commas of its own; the caller says what stands where.</summary>
/// <param name="most">The most bytes it may become.</param>
internal sealed class JsonOut(long most = int.MaxValue) : IBufferWriter<byte>, IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private int _length;

    /// <summary>What was written so far.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Bytes as they are.</summary>
    public JsonOut Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
        return this;
    }

    /// <summary>One byte as it is.</summary>
    public JsonOut Raw(char ascii)
    {
        Room(1)[0] = (byte)ascii;
        _length++;
        return this;
    }

    /// <summary>A text that is JSON already.</summary>
    public JsonOut Raw(string json)
    {
        _length += Encoding.UTF8.GetBytes(json, Room(Encoding.UTF8.GetMaxByteCount(json.Length)));
        return this;
    }

    /// <summary>A string with quotes and escapes.</summary>
    public JsonOut String(string? text)
    {
        if (text is null)
            return Raw("null"u8);
        Raw('"');
        if (text.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 && text.AsSpan().IndexOfAny('"', '\\') < 0)
            _length += Encoding.UTF8.GetBytes(text, Room(text.Length));
        else
            Raw(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text));
        return Raw('"');
    }

    /// <summary>An integer.</summary>
    public JsonOut Number(long value)
    {
        value.TryFormat(Room(20), out var written, default, CultureInfo.InvariantCulture);
        _length += written;
        return this;
    }

    /// <summary>An unsigned integer.</summary>
    public JsonOut Number(ulong value)
    {
        value.TryFormat(Room(20), out var written, default, CultureInfo.InvariantCulture);
        _length += written;
        return this;
    }

    /// <summary>A float, the shortest text that reads back as the same bits; null when it is not finite.</summary>
    public JsonOut Number(float value)
    {
        if (!float.IsFinite(value))
            return Raw("null"u8);
        value.TryFormat(Room(32), out var written, default, CultureInfo.InvariantCulture);
        return Fraction(written);
    }

    /// <summary>A double, likewise.</summary>
    public JsonOut Number(double value)
    {
        if (!double.IsFinite(value))
            return Raw("null"u8);
        value.TryFormat(Room(32), out var written, default, CultureInfo.InvariantCulture);
        return Fraction(written);
    }

    /// <summary>A boolean.</summary>
    public JsonOut Boolean(bool value) => value ? Raw("true"u8) : Raw("false"u8);

    /// <summary>A point id: a number, or a UUID as a string.</summary>
    public JsonOut Id(PointId id)
    {
        if (id.Kind == PointIdKind.Number)
            return Number(id.Number);
        Raw('"');
        id.Uuid.TryFormat(Room(36), out var written, "D");
        _length += written;
        return Raw('"');
    }

    /// <summary>An array of floats.</summary>
    public JsonOut Floats(ReadOnlySpan<float> values)
    {
        Raw('[');
        for (var i = 0; i < values.Length; i++)
        {
            if (i > 0)
                Raw(',');
            Number(values[i]);
        }

        return Raw(']');
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    void IBufferWriter<byte>.Advance(int count) => _length += count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint)
    {
        Room(Math.Max(sizeHint, 256));
        return _buffer.AsMemory(_length);
    }

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => Room(Math.Max(sizeHint, 256));

    /// <summary>Whole numbers get ".0", so that every reader takes them for floats.</summary>
    private JsonOut Fraction(int written)
    {
        var whole = _buffer.AsSpan(_length, written).IndexOfAny((byte)'.', (byte)'E') < 0;
        _length += written;
        return whole ? Raw(".0"u8) : this;
    }

    private Span<byte> Room(int count)
    {
        if (_buffer.Length - _length < count)
        {
            var needed = (long)_length + count;
            if (needed > Math.Min(most, Array.MaxLength))
                throw ApiException.BadRequest($"the answer would be larger than allowed (limit: {most} bytes); ask for less at a time");
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(_buffer.Length * 2L, needed), Array.MaxLength));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsSpan(_length);
    }
}
