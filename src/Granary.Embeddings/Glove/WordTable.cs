using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Granary.Embeddings.Glove;

/// <summary>
/// The words of the built-in embedder with their vectors: int8 rows and one factor a word, which is the row's scale times the word's
/// weight. Written by <c>tools/embeddings/make_table.py</c>, which documents the format. Immutable.
/// </summary>
internal sealed class WordTable
{
    private const int Version = 1;

    private static readonly Lazy<WordTable> BuiltInTable = new(LoadBuiltIn);

    private readonly Dictionary<string, int> _rows;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly float[] _factors;
    private readonly sbyte[] _codes;

    private WordTable(Dictionary<string, int> rows, float[] factors, sbyte[] codes, float[] component)
    {
        _rows = rows;
        _lookup = rows.GetAlternateLookup<ReadOnlySpan<char>>();
        _factors = factors;
        _codes = codes;
        Component = component;
    }

    /// <summary>The table inside this assembly, read once, on first use.</summary>
    public static WordTable BuiltIn => BuiltInTable.Value;

    /// <summary>Values a vector.</summary>
    public int Dimensions => Component.Length;

    /// <summary>Words known.</summary>
    public int Count => _rows.Count;

    /// <summary>The first principal component of sentence vectors, of length 1.</summary>
    public float[] Component { get; }

    /// <summary>The row of a lower-case word, or -1.</summary>
    public int Find(ReadOnlySpan<char> word) => _lookup.TryGetValue(word, out var row) ? row : -1;

    /// <summary>Adds a word's weighted vector to a sum.</summary>
    public void AddTo(int row, Span<float> sum)
    {
        var factor = _factors[row];
        var codes = _codes.AsSpan(row * sum.Length, sum.Length);
        for (var i = 0; i < sum.Length; i++)
            sum[i] += factor * codes[i];
    }

    /// <summary>Reads a table that is not compressed.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a table of this version.</exception>
    public static WordTable Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 16 || !bytes[..4].SequenceEqual("GRWT"u8) || BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]) != Version)
            throw new InvalidDataException($"This is not a word table of version {Version}.");
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        var component = ReadFloats(bytes[16..], BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]));
        var at = 16 + component.Length * sizeof(float);

        var rows = new Dictionary<string, int>(count, StringComparer.Ordinal);
        for (var row = 0; row < count; row++)
        {
            var length = bytes[at];
            rows.Add(Encoding.UTF8.GetString(bytes.Slice(at + 1, length)), row);
            at += 1 + length;
        }

        var factors = ReadFloats(bytes[at..], count);
        at += count * sizeof(float);
        return new WordTable(rows, factors, MemoryMarshal.Cast<byte, sbyte>(bytes.Slice(at, count * component.Length)).ToArray(),
            component);
    }

    private static float[] ReadFloats(ReadOnlySpan<byte> bytes, int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        return values;
    }

    private static WordTable LoadBuiltIn()
    {
        using var resource = typeof(WordTable).Assembly.GetManifestResourceStream("words.bin.gz")!;
        using var unzipped = new GZipStream(resource, CompressionMode.Decompress);
        using var bytes = new MemoryStream(6 << 20);
        unzipped.CopyTo(bytes);
        return Read(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }
}
