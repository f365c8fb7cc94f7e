using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Vectors;

/// <summary>
/// A bit a dimension of a row (RaBitQ: Gao and Long, arXiv:2405.12497). What is left of a row without the centre of the rows, r, is turned
/// at random; of the turned values the signs are kept, and behind them, as float32: <c>n</c>, the part of the distance that does not depend
/// on the query; <c>f = |r|^2 / sum|r|</c>, so that <c>f * (values of the turned query, added where the row's are positive and subtracted
/// where not)</c> is the product of query and r, on average; and <c>e</c>, the standard deviation of that over the query's length. A
/// query's values are int8. What comes of it is an estimate: it says which rows are worth comparing.
/// </summary>
internal static unsafe class SignCode
{
    /// <summary>Dimensions are turned, and their bits read, in groups of this many.</summary>
    public const int Group = SignTurn.Block;

    private const int GroupBytes = Group / 8;
    private const int Header = 16;

    // Beyond it 16 bits would not hold what a lane adds up.
    private const int MostGroups = 32;

    // What is longer or shorter is left out, so that nothing overflows and no square is lost.
    private const float MostSquares = 1e30f;
    private const float LeastSquares = 1e-30f;

    /// <summary>Bytes of a query before its values.</summary>
    public const int TargetHeader = 64;

    // Of shorter rows codes are read about as fast (measured: 100 and 128 dimensions), and signs tell less.
    private const int LeastSize = 192;

    /// <summary>Whether the machine has kernels for it, rows of that size fit, and it helps.</summary>
    public static bool Serves(int size) => Avx2.IsSupported && size is >= LeastSize and <= Group * MostGroups;

    /// <summary>Dimensions rounded up to whole groups.</summary>
    public static int Padded(int size) => (size + Group - 1) & -Group;

    /// <summary>Bytes of a row: as few cache lines as can be.</summary>
    public static int Stride(int size)
    {
        var bytes = (Padded(size) / 8) + Header;
        return bytes <= 32 ? 32 : (bytes + 63) & -64;
    }

    /// <summary>Bytes of a query.</summary>
    public static int TargetBytes(int size) => TargetHeader + Padded(size);

    /// <summary>Writes a row. Uses what is left without the centre, turned (<see cref="SignTurn"/>).</summary>
    /// <param name="turned">The values.</param>
    /// <param name="padded">How many.</param>
    /// <param name="apart">The part of the distance that does not depend on the query.</param>
    /// <param name="row">The row.</param>
    public static void Encode(float* turned, int padded, float apart, byte* row)
    {
        var sum = Vector256<float>.Zero;
        var squares = Vector256<float>.Zero;
        for (var i = 0; i < padded; i += Vector256<float>.Count)
        {
            var values = Vector256.Load(turned + i);
            row[i >> 3] = (byte)values.ExtractMostSignificantBits();
            sum += Vector256.Abs(values);
            squares += values * values;
        }

        var all = Vector256.Sum(sum);
        var length = Vector256.Sum(squares);
        var header = (float*)(row + (padded / 8));
        header[0] = apart;
        header[1] = all > 0 ? length / all : 0f;
        header[2] = all > 0 ? MathF.Sqrt(MathF.Max(0f, ((length * padded / all / all) - 1f) * length / (padded - 1))) : 0f;
        header[3] = 0f;
        if ((length >= LeastSquares || all == 0) && length <= MostSquares && MathF.Abs(apart) <= MostSquares)
            return;

        // Nothing is known of it: it is worth comparing always.
        header[0] = float.NegativeInfinity;
        header[1] = 0f;
        header[2] = 0f;
    }

    /// <summary>Writes a query; false where its numbers are too large or too small.</summary>
    /// <param name="turned">Its values without the centre, turned.</param>
    /// <param name="padded">How many.</param>
    /// <param name="constant">The part of the distance that does not depend on the row.</param>
    /// <param name="factor">By what the product of both sides counts: 2 for Euclid, else 1.</param>
    /// <param name="deviations">How many standard deviations a distance may be below its estimate.</param>
    /// <param name="target">The query.</param>
    public static bool Prepare(float* turned, int padded, float constant, float factor, float deviations, byte* target)
    {
        var max = 0f;
        var squares = 0f;
        for (var i = 0; i < padded; i++)
        {
            max = MathF.Max(max, MathF.Abs(turned[i]));
            squares += turned[i] * turned[i];
        }

        var inverse = max > 0 ? 127f / max : 0f;
        var values = (sbyte*)(target + TargetHeader);
        var sum = 0;

        // Bit 4p + l of byte i of a group stands at 64p + 16l + i: a register takes four bits of all the bytes.
        for (var g = 0; g < padded; g += Group)
        {
            for (var i = 0; i < Group; i++)
            {
                var value = (int)MathF.Round(turned[g + i] * inverse);
                sum += value;
                values[g + ((i & 7) * GroupBytes) + (i >> 3)] = (sbyte)value;
            }
        }

        var scale = max / 127f;
        var header = (float*)target;
        header[0] = constant;
        header[1] = factor * scale * sum;
        header[2] = -2f * factor * scale;
        header[3] = factor * deviations * MathF.Sqrt(squares);
        return MathF.Abs(constant) <= MostSquares && (squares >= LeastSquares || max == 0) && squares <= MostSquares;
    }

    /// <summary>What the distance of a row is at least, as likely as the query's deviations say.</summary>
    public static float Lower(byte* target, byte* row, int padded)
    {
        var negative = Avx2.IsSupported
            ? Negative256((sbyte*)target + TargetHeader, row, padded) : NegativePortable((sbyte*)target + TargetHeader, row, padded);
        var query = (float*)target;
        var header = (float*)(row + (padded / 8));
        return query[0] + header[0] - (header[1] * (query[1] + (query[2] * negative))) - (header[2] * query[3]);
    }

    /// <summary>The same of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Lower512(byte* target, byte* a, byte* b, byte* c, byte* d, int padded)
    {
        var values = (sbyte*)target + TargetHeader;
        var s0 = Vector512<short>.Zero;
        var s1 = Vector512<short>.Zero;
        var s2 = Vector512<short>.Zero;
        var s3 = Vector512<short>.Zero;
        var low = Vector512.Create(0u, 0u, 0u, 0u, 1u, 1u, 1u, 1u, 2u, 2u, 2u, 2u, 3u, 3u, 3u, 3u);
        var high = low + Vector512.Create(4u);
        nint bytes = padded / 8;
        for (nint i = 0; i < bytes; i += GroupBytes)
        {
            var first = Vector512.Load(values + (i * 8));
            var second = Vector512.Load(values + (i * 8) + 64);
            s0 += Add(Avx512F.BroadcastVector128ToVector512((uint*)(a + i)), low, high, first, second);
            s1 += Add(Avx512F.BroadcastVector128ToVector512((uint*)(b + i)), low, high, first, second);
            s2 += Add(Avx512F.BroadcastVector128ToVector512((uint*)(c + i)), low, high, first, second);
            s3 += Add(Avx512F.BroadcastVector128ToVector512((uint*)(d + i)), low, high, first, second);
        }

        var negative = Vector128.ConvertToSingle(CodeKernels.Fold4(Pairs(s0), Pairs(s1), Pairs(s2), Pairs(s3)));
        var h0 = Vector128.Load((float*)(a + bytes));
        var h1 = Vector128.Load((float*)(b + bytes));
        var h2 = Vector128.Load((float*)(c + bytes));
        var h3 = Vector128.Load((float*)(d + bytes));
        var x = Sse.UnpackLow(h0, h1);
        var y = Sse.UnpackLow(h2, h3);
        var deviations = Sse.MoveLowToHigh(Sse.UnpackHigh(h0, h1), Sse.UnpackHigh(h2, h3));
        var query = (float*)target;
        return Vector128.Create(query[0]) + Sse.MoveLowToHigh(x, y)
            - (Sse.MoveHighToLow(y, x) * (Vector128.Create(query[1]) + (Vector128.Create(query[2]) * negative)))
            - (deviations * Vector128.Create(query[3]));
    }

    /// <summary>The sum of a query's values where a row's bits are set, with AVX2.</summary>
    internal static int Negative256(sbyte* values, byte* row, int padded)
    {
        var sum = Vector256<short>.Zero;
        var ones = Vector256.Create((byte)1);
        var step = Vector256.Create(0u, 0u, 0u, 0u, 1u, 1u, 1u, 1u);
        for (var i = 0; i < padded / 8; i += GroupBytes)
        {
            var bits = Avx2.BroadcastVector128ToVector256((uint*)(row + i));
            for (var j = 0; j < 4; j++)
            {
                var shifted = Avx2.ShiftRightLogicalVariable(bits, step + Vector256.Create((uint)(2 * j))).AsByte() & ones;
                sum += Avx2.MultiplyAddAdjacent(shifted, Vector256.Load(values + (i * 8) + (j * 32)));
            }
        }

        return Vector256.Sum(Avx2.MultiplyAddAdjacent(sum, Vector256.Create((short)1)));
    }

    /// <summary>The definition the other paths must equal.</summary>
    internal static int NegativePortable(sbyte* values, byte* row, int padded)
    {
        var sum = 0;
        for (var i = 0; i < padded; i++)
        {
            if ((row[i >> 3] >> (i & 7) & 1) != 0)
                sum += values[(i & -Group) + ((i & 7) * GroupBytes) + ((i & (Group - 1)) >> 3)];
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Add(
        Vector512<uint> bits, Vector512<uint> low, Vector512<uint> high, Vector512<sbyte> first, Vector512<sbyte> second)
    {
        var ones = Vector512.Create((byte)1);
        var x = Avx512F.ShiftRightLogicalVariable(bits, low).AsByte() & ones;
        var y = Avx512F.ShiftRightLogicalVariable(bits, high).AsByte() & ones;
        return Avx512BW.MultiplyAddAdjacent(x, first) + Avx512BW.MultiplyAddAdjacent(y, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pairs(Vector512<short> sums)
    {
        var pairs = Avx512BW.MultiplyAddAdjacent(sums, Vector512.Create((short)1));
        return pairs.GetLower() + pairs.GetUpper();
    }
}
