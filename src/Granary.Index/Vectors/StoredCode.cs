using System.Runtime.Intrinsics;

namespace Granary.Index.Vectors;

/// <summary>
/// Codes that are all that is kept of a vector: a value is <c>code * scale</c>. The scale is such that what is decoded encodes to the very
/// same code again, so that copies, checkpoints and replicas agree to the bit; and where the distance is cosine the decoded vector has
/// unit length.
/// </summary>
internal static unsafe class StoredCode
{
    // The largest code, 127, takes seven bits: of a scale with 17 bits every decoded value is exact in the 24 bits of a float32.
    private const int DroppedBits = 0x7F;

    /// <summary>Bytes of a row in an image: the codes, then the scale.</summary>
    public static int ImageBytes(int size) => size + sizeof(float);

    /// <summary>Gives a row that <see cref="RowCode.Encode"/> wrote its scale.</summary>
    public static void Settle(byte* row, int size, Distance distance)
    {
        var codes = (sbyte*)row;
        long squares = 0;
        for (var i = 0; i < size; i++)
            squares += codes[i] * codes[i];
        var header = (float*)(row + RowCode.HeaderOffset(size));
        if (squares == 0)
            header[0] = 0f;
        else if (distance == Distance.Cosine)
            header[0] = (float)(1 / Math.Sqrt(squares));
        else
            header[0] = BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(header[0]) + DroppedBits) & ~(uint)DroppedBits);
        header[1] = distance == Distance.Euclid ? (float)((double)header[0] * header[0] * squares) : 0f;
    }

    /// <summary>Writes the values of a row, <paramref name="size"/> of them and up to 15 more.</summary>
    public static void Decode(byte* row, int size, float* values) =>
        Decode((sbyte*)row, *(float*)(row + RowCode.HeaderOffset(size)), size, values);

    /// <summary>
    /// Writes the values of codes. Reads and writes up to the next multiple of 16: a row's stride and a buffer's end reach that far.
    /// </summary>
    public static void Decode(sbyte* codes, float scale, int size, float* values)
    {
        for (var i = 0; i < size; i += Vector128<sbyte>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(codes + i));
            var (a, b) = Vector128.Widen(low);
            var (c, d) = Vector128.Widen(high);
            (Vector128.ConvertToSingle(a) * scale).Store(values + i);
            (Vector128.ConvertToSingle(b) * scale).Store(values + i + 4);
            (Vector128.ConvertToSingle(c) * scale).Store(values + i + 8);
            (Vector128.ConvertToSingle(d) * scale).Store(values + i + 12);
        }
    }

    /// <summary>Writes a row into an image.</summary>
    public static void Write(byte* row, int size, Stream stream)
    {
        stream.Write(new ReadOnlySpan<byte>(row, size));
        stream.Write(new ReadOnlySpan<byte>(row + RowCode.HeaderOffset(size), sizeof(float)));
    }

    /// <summary>Reads a row of an image as a vector. The buffer of codes holds 16 more.</summary>
    public static void Read(Stream stream, int size, byte[] codes, float* values)
    {
        float scale = 0;
        stream.ReadExactly(codes.AsSpan(0, size));
        stream.ReadExactly(new Span<byte>(&scale, sizeof(float)));
        fixed (byte* bytes = codes)
            Decode((sbyte*)bytes, scale, size, values);
    }
}
