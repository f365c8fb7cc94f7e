using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Text;

/// <summary>
/// Kernels over the added bounds of all cells, 16 bits each. Whole numbers: every instruction set gives the same. Reads and writes are
/// of <see cref="Lanes"/> elements at multiples of that below a length that is one: within the span.
/// </summary>
internal static class GroupBounds
{
    /// <summary>Elements handled at once.</summary>
    public const int Lanes = 32;

    // Bounds stay in the first cache while all parts are added to them.
    private const int Tile = 256 * Lanes;

    // So many are multiplied sooner than looked up.
    private const int FewPlaces = 100;

    /// <summary>
    /// Sets each cell's bound to the sum of what the parts add, and each peak to the highest of <see cref="Lanes"/> bounds. The sums
    /// of all parts fit in 16 bits. Where every term is required, cells that surely lack one get 0.
    /// </summary>
    public static void Add(Span<ushort> bounds, Span<ushort> peaks, ReadOnlySpan<TextPart> parts, bool required)
    {
        bounds.Clear();
        peaks.Clear();
        foreach (var part in parts)
        {
            if (part.Groups is { } groups)
                Scatter(bounds, groups.AsSpan(0, part.Places), part.Bounds, part.Scale);
        }

        for (var start = 0; start < bounds.Length; start += Tile)
        {
            var tile = bounds[start..Math.Min(start + Tile, bounds.Length)];
            foreach (var part in parts)
            {
                var end = part.Places * ImpactList.CellsPerGroup;
                if (part.Groups == null && end > start)
                    Add(tile, part.Bounds.AsSpan(start..Math.Min(end, start + tile.Length)), part.Scale);
            }

            for (var i = 0; required && i < parts.Length; i++)
                Strike(tile, start, parts[i]);
            for (var at = 0; at < tile.Length; at += Lanes)
                peaks[(start + at) / Lanes] = Highest(tile, at);
        }
    }

    /// <summary>What a bound in steps of 1/255 adds for a part: below its true share by less than 2 steps, of which it adds one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Share(uint bound, uint scale) => ((bound * 257 * scale) >> 16) + Math.Min(bound, 1);

    /// <summary>A level that at least this many elements reach, as high as may be but for small bits; 1 where fewer have any.</summary>
    public static int LevelOf(ReadOnlySpan<ushort> bounds, long wanted)
    {
        var level = 0;
        for (var bit = 1 << 15; bit >= 64; bit >>= 1)
        {
            if (Reaching(bounds, level | bit) >= wanted)
                level |= bit;
        }

        return Math.Max(level, 1);
    }

    /// <summary>Bit i is set when element <paramref name="at"/> + i is above a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Above(ReadOnlySpan<ushort> bounds, int at, int level)
    {
        ref var first = ref Unsafe.Add(ref MemoryMarshal.GetReference(bounds), at);
        if (Vector512.IsHardwareAccelerated)
        {
            var limit = Vector512.Create((ushort)level);
            return (uint)Vector512.GreaterThan(Vector512.LoadUnsafe(ref first), limit).ExtractMostSignificantBits();
        }

        var half = Vector256.Create((ushort)level);
        return Vector256.GreaterThan(Vector256.LoadUnsafe(ref first), half).ExtractMostSignificantBits()
            | (Vector256.GreaterThan(Vector256.LoadUnsafe(ref first, 16), half).ExtractMostSignificantBits() << 16);
    }

    private static long Reaching(ReadOnlySpan<ushort> bounds, int level)
    {
        var count = 0L;
        for (var at = 0; at < bounds.Length; at += Lanes)
            count += uint.PopCount(Above(bounds, at, level - 1));
        return count;
    }

    /// <summary>Four cells at once: their sums do not carry.</summary>
    private static void Scatter(Span<ushort> bounds, ReadOnlySpan<int> groups, ReadOnlySpan<byte> places, uint scale)
    {
        var cells = MemoryMarshal.Cast<ushort, ulong>(bounds);
        var four = MemoryMarshal.Cast<byte, uint>(places);
        if (groups.Length < FewPlaces)
        {
            for (var place = 0; place < groups.Length && place < four.Length && groups[place] < cells.Length; place++)
            {
                var bound = four[place];
                cells[groups[place]] += Share((byte)bound, scale) | ((ulong)Share((byte)(bound >> 8), scale) << 16)
                    | ((ulong)Share((byte)(bound >> 16), scale) << 32) | ((ulong)Share((byte)(bound >> 24), scale) << 48);
            }

            return;
        }

        Span<ushort> shares = stackalloc ushort[256];
        for (var bound = 0u; bound < shares.Length; bound++)
            shares[(int)bound] = (ushort)Share(bound, scale);
        for (var place = 0; place < groups.Length && place < four.Length; place++)
        {
            var group = groups[place];
            if (group >= cells.Length)
                break;
            var bound = four[place];
            cells[group] += shares[(byte)bound] | ((ulong)shares[(byte)(bound >> 8)] << 16)
                | ((ulong)shares[(byte)(bound >> 16)] << 32) | ((ulong)shares[(byte)(bound >> 24)] << 48);
        }
    }

    private static void Add(Span<ushort> bounds, ReadOnlySpan<byte> places, ushort scale)
    {
        ref var target = ref MemoryMarshal.GetReference(bounds);
        ref var source = ref MemoryMarshal.GetReference(places);
        var at = 0;
        if (Avx512BW.IsSupported)
        {
            var factor = Vector512.Create(scale);
            for (; at + Lanes <= places.Length; at += Lanes)
            {
                var bound = Avx512BW.ConvertToVector512UInt16(Vector256.LoadUnsafe(ref source, (nuint)at));
                var share = Avx512BW.MultiplyHigh(bound | (bound << 8), factor) + Vector512.Min(bound, Vector512<ushort>.One);
                (Vector512.LoadUnsafe(ref target, (nuint)at) + share).StoreUnsafe(ref target, (nuint)at);
            }
        }
        else if (Avx2.IsSupported)
        {
            var factor = Vector256.Create(scale);
            for (; at + (Lanes / 2) <= places.Length; at += Lanes / 2)
            {
                var bound = Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref source, (nuint)at)).AsUInt16();
                var share = Avx2.MultiplyHigh(bound | (bound << 8), factor) + Vector256.Min(bound, Vector256<ushort>.One);
                (Vector256.LoadUnsafe(ref target, (nuint)at) + share).StoreUnsafe(ref target, (nuint)at);
            }
        }

        for (; at < places.Length; at++)
            bounds[at] += (ushort)Share(places[at], scale);
    }

    /// <summary>Strikes out cells that a part with a place for every group has no posting in, as far as it is all of its term.</summary>
    private static void Strike(Span<ushort> tile, int start, TextPart part)
    {
        if (part.Groups != null)
            return;
        var whole = (int)Math.Clamp((part.WholeBelow * (long)ImpactList.CellsPerGroup) - start, 0, tile.Length);
        var end = Math.Clamp((part.Places * ImpactList.CellsPerGroup) - start, 0, whole);
        var places = end > 0 ? part.Bounds.AsSpan(start, end) : [];
        ref var target = ref MemoryMarshal.GetReference(tile);
        ref var source = ref MemoryMarshal.GetReference(places);
        var at = 0;
        for (; at + (Lanes / 2) <= end; at += Lanes / 2)
        {
            var none = Vector256.Equals(Vector256.WidenLower(Vector128.LoadUnsafe(ref source, (nuint)at).ToVector256Unsafe()), default);
            Vector256.AndNot(Vector256.LoadUnsafe(ref target, (nuint)at), none).StoreUnsafe(ref target, (nuint)at);
        }

        for (; at < end; at++)
            tile[at] = places[at] == 0 ? (ushort)0 : tile[at];
        tile[end..whole].Clear();
    }

    private static ushort Highest(ReadOnlySpan<ushort> bounds, int at)
    {
        ref var first = ref Unsafe.Add(ref MemoryMarshal.GetReference(bounds), at);
        var half = Vector256.Max(Vector256.LoadUnsafe(ref first), Vector256.LoadUnsafe(ref first, 16));
        var eight = Vector128.Max(half.GetLower(), half.GetUpper());
        if (Sse41.IsSupported)
            return (ushort)~Sse41.MinHorizontal(~eight).ToScalar();
        var highest = (ushort)0;
        for (var i = 0; i < Vector128<ushort>.Count; i++)
            highest = Math.Max(highest, eight[i]);
        return highest;
    }
}
