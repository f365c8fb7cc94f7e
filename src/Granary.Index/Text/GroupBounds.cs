using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Text;

/// <summary>
/// Kernels over the added bounds of all groups, 16 bits each. Whole numbers: every instruction set gives the same. Reads and writes are
/// of <see cref="Lanes"/> elements at multiples of that below a length that is one: within the span.
/// </summary>
internal static class GroupBounds
{
    /// <summary>Elements handled at once.</summary>
    public const int Lanes = 32;

    /// <summary>Sets each group's bound to the sum of what the parts add; stops at 65,535.</summary>
    public static void Add(Span<ushort> bounds, int groups, ReadOnlySpan<TextPart> parts)
    {
        bounds.Clear();
        foreach (var part in parts)
        {
            var list = part.List;
            var end = Math.Min(list.Places, groups);
            if (list.Groups is { } of)
            {
                end = list.Places;
                var places = list.Bounds;
                uint scale = part.Scale;
                for (var place = 0; place < end && place < places.Length && place < of.Length; place++)
                {
                    var group = of[place];
                    if (group >= groups)
                        break;
                    var sum = bounds[group] + ((places[place] * 257u * scale) >> 16) + 1;
                    bounds[group] = (ushort)Math.Min(sum, ushort.MaxValue);
                }

                continue;
            }

            var from = 0;
            if (Avx512BW.IsSupported)
                from = AddWide(bounds, list.Bounds.AsSpan(0, end), part.Scale);
            else if (Avx2.IsSupported)
                from = AddHalf(bounds, list.Bounds.AsSpan(0, end), part.Scale);
            for (; from < end; from++)
                bounds[from] = (ushort)Math.Min(bounds[from] + part.Bound(from), ushort.MaxValue);
        }
    }

    /// <summary>A level that at least this many groups reach, as high as may be; 1 where fewer have any bound.</summary>
    public static int LevelOf(ReadOnlySpan<ushort> bounds, long wanted)
    {
        var level = 0;
        for (var bit = 1 << 15; bit > 0; bit >>= 1)
        {
            // The lowest bits are not worth a look at all groups.
            if (bit < 64)
                break;
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
            return (uint)Vector512.GreaterThan(Vector512.LoadUnsafe(ref first), Vector512.Create((ushort)level)).ExtractMostSignificantBits();
        var limit = Vector256.Create((ushort)level);
        return Vector256.GreaterThan(Vector256.LoadUnsafe(ref first), limit).ExtractMostSignificantBits()
            | (Vector256.GreaterThan(Vector256.LoadUnsafe(ref first, 16), limit).ExtractMostSignificantBits() << 16);
    }

    private static long Reaching(ReadOnlySpan<ushort> bounds, int level)
    {
        var count = 0L;
        for (var at = 0; at < bounds.Length; at += Lanes)
            count += uint.PopCount(Above(bounds, at, level - 1));
        return count;
    }

    private static int AddWide(Span<ushort> bounds, ReadOnlySpan<byte> places, ushort scale)
    {
        ref var target = ref MemoryMarshal.GetReference(bounds);
        ref var source = ref MemoryMarshal.GetReference(places);
        var factor = Vector512.Create(scale);
        var at = 0;
        for (; at + Lanes <= places.Length; at += Lanes)
        {
            var bound = Avx512BW.ConvertToVector512UInt16(Vector256.LoadUnsafe(ref source, (nuint)at));
            var part = Avx512BW.MultiplyHigh(bound | (bound << 8), factor) + Vector512.Min(bound, Vector512<ushort>.One);
            Avx512BW.AddSaturate(Vector512.LoadUnsafe(ref target, (nuint)at), part).StoreUnsafe(ref target, (nuint)at);
        }

        return at;
    }

    private static int AddHalf(Span<ushort> bounds, ReadOnlySpan<byte> places, ushort scale)
    {
        ref var target = ref MemoryMarshal.GetReference(bounds);
        ref var source = ref MemoryMarshal.GetReference(places);
        var factor = Vector256.Create(scale);
        var at = 0;
        for (; at + 16 <= places.Length; at += 16)
        {
            var bound = Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref source, (nuint)at)).AsUInt16();
            var part = Avx2.MultiplyHigh(bound | (bound << 8), factor) + Vector256.Min(bound, Vector256<ushort>.One);
            Avx2.AddSaturate(Vector256.LoadUnsafe(ref target, (nuint)at), part).StoreUnsafe(ref target, (nuint)at);
        }

        return at;
    }
}
