using System.Runtime.InteropServices;
using Granary.Index.Memory;

namespace Granary.Index.Tests.Memory;

public sealed unsafe class RowArenaTests
{
    [Theory]
    [InlineData(1000, 30_000)]
    [InlineData(128, 100_000)]
    [InlineData(200_004, 100)]
    [InlineData(80_004, 300)]
    public void RowsKeepTheirPlaceAndContentsWhileItGrows(int stride, int rows)
    {
        var taken = 0L;
        using var arena = new RowArena(stride, (bytes, alignment) =>
        {
            taken += (long)bytes;
            return (nint)NativeMemory.AlignedAlloc(bytes, alignment);
        });
        var places = new nint[rows];
        for (var row = 0; row < rows; row++)
        {
            arena.Ensure(row);
            places[row] = (nint)arena.Row(row);
            *(int*)arena.Row(row) = row;
            *(int*)(arena.Row(row) + stride - sizeof(int)) = row;
        }

        var view = arena.View;
        for (var row = 0; row < rows; row++)
        {
            Assert.Equal(places[row], (nint)arena.Row(row));
            Assert.Equal(places[row], (nint)view.Row(row));
            Assert.Equal(row, *(int*)arena.Row(row));
            Assert.Equal(row, *(int*)(arena.Row(row) + stride - sizeof(int)));
        }

        // Beyond the rows: what is left of a chunk; of the last slab, which is six megabytes or an eighth; and less than a chunk of each.
        Assert.InRange(arena.Bytes, (long)rows * stride, ((long)rows * stride) + (1 << 20));
        Assert.InRange(taken, arena.Bytes, (arena.Bytes * 5 / 4) + (6 << 20));
        for (var row = 0; row < arena.Capacity; row += RowsOfAChunk(stride))
            Assert.Equal(0, (nint)arena.Row(row) & 63);
    }

    [Fact]
    public void AnAllocationThatFailsLeavesTheArenaAsItWas()
    {
        const int Stride = 1 << 18;
        var fails = false;
        var places = new List<(nint Start, nint End)>();
        using var arena = new RowArena(Stride, (bytes, alignment) =>
        {
            if (fails)
                throw new OutOfMemoryException();
            var memory = (nint)NativeMemory.AlignedAlloc(bytes, alignment);
            places.Add((memory, memory + (nint)bytes));
            return memory;
        });
        var row = 0;
        for (var failures = 0; failures < 3; row++)
        {
            // Fails whenever something is to be taken, once.
            fails = true;
            var capacity = arena.Capacity;
            try
            {
                arena.Ensure(row);
            }
            catch (OutOfMemoryException)
            {
                Assert.Equal(capacity, arena.Capacity);
                failures += places.Count > 2 ? 1 : 0;
                fails = false;
                arena.Ensure(row);
            }

            var start = (nint)arena.Row(row);
            Assert.Contains(places, place => place.Start <= start && start + Stride <= place.End);
            *(int*)start = row;
        }

        for (var i = 0; i < row; i++)
            Assert.Equal(i, *(int*)arena.Row(i));
    }

    private static int RowsOfAChunk(int stride)
    {
        using var arena = new RowArena(stride);
        arena.Ensure(0);
        return arena.Capacity;
    }
}
