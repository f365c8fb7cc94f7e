using System.Runtime.InteropServices;
using Granary.Http.Hosting;

namespace Granary.Http.Json;

internal ref partial struct JsonCursor
{
    // A longer array of commas takes no memory before its numbers are there.
    private const int MostCounted = 1 << 16;

    /// <summary>
    /// Takes an array of numbers into <paramref name="values"/> and counts it to its end, so that an error can say how many there
    /// were. The bytes need not be aligned.
    /// </summary>
    /// <returns>How many numbers the array has.</returns>
    public int ReadFloats(Span<byte> values)
    {
        BeginArray("a sequence of numbers");
        var floats = MemoryMarshal.Cast<byte, float>(values);
        var count = 0;
        if (Peek() == ']')
        {
            _at++;
            return 0;
        }

        var json = _json;
        var at = _at;
        while (true)
        {
            // The plain case in registers: a finite number and a comma right behind it.
            var end = FloatParser.Parse(json, at, out var value);
            if (end < 0 || !float.IsFinite(value))
            {
                // White space before the number, or a mistake that is told apart here.
                _at = at;
                Peek();
                value = ReadFiniteFloat();
                end = _at;
            }

            if (count < floats.Length)
                floats[count] = value;
            count++;
            if (end < json.Length && json[end] == ',')
            {
                at = end + 1;
                continue;
            }

            _at = end;
            switch (Peek())
            {
                case (byte)',':
                    at = ++_at;
                    break;
                case (byte)']':
                    _at++;
                    return count;
                default:
                    throw Fail("expected `,` or `]`");
            }
        }
    }

    /// <summary>
    /// Takes a flat array of numbers into an array of just their size, which its commas tell. Null, and the cursor where it was, when it
    /// is none: the caller reads it in another way, which finds the mistake if there is one.
    /// </summary>
    public float[]? TryReadFloats()
    {
        Peek();
        var text = _json[_at..];
        var end = text.IndexOf((byte)']');
        if (end < 0 || text[0] != '[' || text[1..end].Contains((byte)'['))
            return null;
        var count = text[..end].Count((byte)',') + 1;
        if (count > MostCounted)
            return null;
        var start = _at;
        try
        {
            var values = GC.AllocateUninitializedArray<float>(count);
            if (ReadFloats(MemoryMarshal.AsBytes(values.AsSpan())) == count)
                return values;
        }
        catch (ApiException)
        {
            // Told by the other reader, in its words.
        }

        _at = start;
        return null;
    }

    /// <summary>Takes an array of numbers, adding them to a list.</summary>
    public int ReadFloats(List<float> values)
    {
        BeginArray("a sequence of numbers");
        var first = true;
        var count = 0;
        while (NextItem(ref first))
        {
            values.Add(ReadFiniteFloat());
            count++;
        }

        return count;
    }

    /// <summary>Takes an array of dimensions, adding them to a list.</summary>
    public void ReadIndices(List<uint> indices)
    {
        BeginArray("a sequence of indices");
        var first = true;
        while (NextItem(ref first))
            indices.Add(ReadUInt32("u32"));
    }

    private float ReadFiniteFloat()
    {
        var start = _at;
        var value = ReadFloat();
        if (float.IsFinite(value))
            return value;
        _at = start;
        throw Fail("number out of range of a 32-bit float");
    }
}
