using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Vectors;

/// <content>Many rows one after another, of whose codes none is in the caches.</content>
internal readonly unsafe partial struct CodeWalk
{
    // How many rows ahead of those that are compared their bytes are asked for.
    private const int ScanAhead = 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Scan(byte* target, int* rows, int count, float* distances)
    {
        if (!Avx512BW.IsSupported)
        {
            for (var row = 0; row < count; row++)
            {
                if (row + ScanAhead < count)
                    Prefetch(rows[row + ScanAhead]);
                distances[row] = Distance(target, rows[row]);
            }

            return;
        }

        var codes = _codes.View;
        var values = (short*)(target + RowCode.TargetHeader);
        var padded = _padded;
        nint header = _header;
        Prefetch(rows, Math.Min(ScanAhead, count));
        var i = 0;
        for (; i <= count - 4; i += 4)
        {
            for (var j = i + ScanAhead; j < Math.Min(i + ScanAhead + 4, count); j++)
            {
                var p = codes.Row(rows[j]);
                for (nint offset = 0; offset <= header; offset += Line)
                    Sse.Prefetch0(p + offset);
            }

            var a = codes.Row(rows[i]);
            var b = codes.Row(rows[i + 1]);
            var c = codes.Row(rows[i + 2]);
            var d = codes.Row(rows[i + 3]);
            var dots = CodeKernels.Dot512(values, (sbyte*)a, (sbyte*)b, (sbyte*)c, (sbyte*)d, padded);
            RowCode.Combine(target, a + header, b + header, c + header, d + header, dots).Store(distances + i);
        }

        Distances(target, rows + i, count - i, distances + i);
    }
}
