using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Granary.Benchmarks;

/// <summary>Rows of vectors, one after another.</summary>
/// <param name="Values">All values, row after row.</param>
/// <param name="Size">Dimensions of a row.</param>
internal sealed record VectorSet(float[] Values, int Size)
{
    public int Count => Values.Length / Size;

    public ReadOnlySpan<float> this[int row] => Values.AsSpan(row * Size, Size);

    public ReadOnlyMemory<float> Row(int row) => Values.AsMemory(row * Size, Size);
}

/// <summary>Reads the .fvecs, .bvecs and .ivecs formats: an int32 dimension, then that many values, row after row, little-endian.</summary>
internal static class VectorFiles
{
    /// <summary>Reads the file of that stem as floats, be it .fvecs or .bvecs.</summary>
    public static VectorSet ReadVectors(string folder, string stem)
    {
        var bytes = Path.Combine(folder, stem + ".bvecs");
        return File.Exists(bytes) ? Read(bytes, 1) : Read(Path.Combine(folder, stem + ".fvecs"), 4);
    }

    public static int[][] ReadNeighbours(string path)
    {
        var all = File.ReadAllBytes(path);
        var size = BinaryPrimitives.ReadInt32LittleEndian(all);
        var stride = 4 + (size * 4);
        return [.. Enumerable.Range(0, all.Length / stride)
            .Select(i => MemoryMarshal.Cast<byte, int>(all.AsSpan((i * stride) + 4, size * 4)).ToArray())];
    }

    private static VectorSet Read(string path, int width)
    {
        using var file = File.OpenRead(path);
        Span<byte> header = stackalloc byte[4];
        file.ReadExactly(header);
        var size = BinaryPrimitives.ReadInt32LittleEndian(header);
        var row = new byte[4 + (size * width)];
        var count = checked((int)(file.Length / row.Length));
        var values = new float[count * size];
        file.Position = 0;
        for (var i = 0; i < count; i++)
        {
            file.ReadExactly(row);
            var target = values.AsSpan(i * size, size);
            if (width == 4)
            {
                MemoryMarshal.Cast<byte, float>(row.AsSpan(4)).CopyTo(target);
                continue;
            }

            for (var j = 0; j < size; j++)
                target[j] = row[4 + j];
        }

        return new VectorSet(values, size);
    }
}
