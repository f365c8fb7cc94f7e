using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed unsafe class RowBatchesTests
{
    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(64, 1)]
    [InlineData(1_000, 0.01)]
    [InlineData(5_000, 0.1)]
    [InlineData(5_001, 0.3)]
    [InlineData(5_003, 1)]
    public void TheyAreTheRowsOfTheMaskBelowTheBound(int rows, double share)
    {
        var random = new Random(rows);
        var words = new ulong[(rows + 63) / 64];
        for (var row = 0; row < rows; row++)
            words[row >> 6] |= random.NextDouble() < share ? 1UL << row : 0;
        var mask = new RowMask(words, rows, isExact: true);
        foreach (var bound in new[] { rows, rows / 2 })
        {
            var found = new List<int>();
            var batches = new RowBatches(mask, bound);
            fixed (int* batch = new int[RowBatches.MostRows])
            {
                while (batches.TryNext(batch, out var count))
                    found.AddRange(new ReadOnlySpan<int>(batch, count));
            }

            Assert.Equal(Enumerable.Range(0, bound).Where(mask.Test), found);
        }
    }

    [Theory]
    [InlineData(3, 0.5f)]
    [InlineData(40, 0f)]
    [InlineData(300, 0.1f)]
    [InlineData(300, float.PositiveInfinity)]
    public void WhatIsNotAboveTheLimitIsKeptInItsOrder(int count, float limit)
    {
        var random = new Random(count);
        var distances = Enumerable.Range(0, count)
            .Select(i => i % 7 == 3 ? float.NaN : i % 11 == 5 ? limit : random.NextSingle() - 0.5f).ToArray();
        var rows = Enumerable.Range(100, count).ToArray();
        var kept = Enumerable.Range(0, count).Where(i => distances[i] <= limit).ToArray();
        var (keptRows, keptDistances) = (Array.ConvertAll(kept, i => rows[i]), Array.ConvertAll(kept, i => distances[i]));
        fixed (int* row = rows)
        fixed (float* distance = distances)
            Assert.Equal(kept.Length, RowBatches.KeepNear(row, distance, count, limit));
        Assert.Equal(keptRows, rows[..kept.Length]);
        Assert.Equal(keptDistances, distances[..kept.Length]);
    }
}
