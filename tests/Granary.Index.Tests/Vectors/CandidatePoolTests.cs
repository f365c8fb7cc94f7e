using System.Runtime.InteropServices;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed unsafe class CandidatePoolTests
{
    [Theory]
    [InlineData(1, 50)]
    [InlineData(7, 300)]
    [InlineData(64, 500)]
    [InlineData(97, 700)]
    [InlineData(400, 3000)]
    public void ItKeepsTheNearestInOrder(int capacity, int rows)
    {
        var random = new Random(capacity);
        var memory = stackalloc ulong[capacity + CandidatePool.Slack];
        var pool = new CandidatePool(memory, capacity);
        var model = new SortedSet<ulong>();
        for (var row = 0; row < rows; row++)
        {
            var key = CandidatePool.Pack((float)(random.NextDouble() - 0.5), row);
            pool.Add(key);
            model.Add(key);
        }

        Assert.Equal(model.Take(capacity), Enumerable.Range(0, pool.Count).Select(i => memory[i]));
    }

    [Fact]
    public void AddingAllIsAddingEach()
    {
        const int Capacity = 40;
        const int Count = 32;
        var random = new Random(1);
        var one = new CandidatePool(Room(Capacity), Capacity);
        var all = new CandidatePool(Room(Capacity), Capacity);
        var rows = (int*)Room(Count);
        var distances = (float*)Room(Count);
        for (var round = 0; round < 100; round++)
        {
            for (var i = 0; i < Count; i++)
            {
                rows[i] = (round * Count) + i;
                distances[i] = i == 0 ? float.NaN : (float)random.NextDouble();
                one.Add(CandidatePool.Pack(distances[i], rows[i]));
            }

            all.AddAll(rows, distances, Count, Room(Count + 1));
            Assert.Equal(new ReadOnlySpan<ulong>(one.Keys, one.Count), new ReadOnlySpan<ulong>(all.Keys, all.Count));
            Assert.Equal(one.TryVisit(out var a), all.TryVisit(out var b));
            Assert.Equal(a, b);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(96)]
    [InlineData(193)]
    public void BothSearchesFindThePlace(int count)
    {
        var keys = stackalloc ulong[count + CandidatePool.Slack];
        new Span<ulong>(keys, count + CandidatePool.Slack).Fill(ulong.MaxValue);
        for (var i = 0; i < count; i++)
            keys[i] = ((ulong)i * 4) + 2;
        for (var key = 0UL; key < ((ulong)count * 4) + 4; key++)
        {
            var nearer = Enumerable.Range(0, count).Count(i => ((ulong)i * 4) + 2 < key);
            Assert.Equal(nearer, CandidatePool.CountNearer(keys, count, key));
            Assert.Equal(nearer, CandidatePool.Halve(keys, count, key));
        }
    }

    // Released with the process: a few kilobytes.
    private static ulong* Room(int count) => (ulong*)NativeMemory.Alloc((nuint)(count + CandidatePool.Slack), sizeof(ulong));
}
