using Granary.Index.Memory;

namespace Granary.Index.Tests.Memory;

public sealed unsafe class RowArenaTests
{
    [Theory]
    [InlineData(1000, 30_000)]
    [InlineData(128, 100_000)]
    [InlineData(200_004, 100)]
    public void RowsKeepTheirPlaceAndContentsWhileItGrows(int stride, int rows)
    {
        using var arena = new RowArena(stride);
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

        Assert.InRange(arena.Bytes, (long)rows * stride, ((long)rows * stride) + (1 << 20));
    }
}
