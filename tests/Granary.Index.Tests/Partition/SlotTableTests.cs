using Granary.Index.Memory;
using Granary.Index.Partition;

namespace Granary.Index.Tests.Partition;

public sealed class SlotTableTests
{
    [Fact]
    public void EveryReaderFindsTheVersionOfItsOperation()
    {
        using var table = new SlotTable(new EpochClock());
        var id = new PointId(7);
        var first = Insert(table, id, 3, SlotTable.None);
        var second = Insert(table, id, 5, first);
        table.End(second, 9);
        Assert.False(table.TryFind(id, 2, out _));
        Assert.True(table.TryFind(id, 3, out var seen));
        Assert.Equal(first, seen);
        Assert.True(table.TryFind(id, 8, out seen));
        Assert.Equal(second, seen);
        Assert.False(table.TryFind(id, 9, out _));
    }

    [Fact]
    public void NumbersAndUuidsOfTheSameBitsAreDifferentPoints()
    {
        using var table = new SlotTable(new EpochClock());
        var number = new PointId(1);
        var uuid = new PointId(Guid.Parse("00000000-0000-0000-0000-000000000001"));
        Insert(table, number, 1, SlotTable.None);
        Assert.False(table.TryFind(uuid, 1, out _));
        Insert(table, uuid, 2, SlotTable.None);
        Assert.True(table.TryFind(uuid, 2, out var slot));
        Assert.Equal(uuid, table.IdOf(slot));
    }

    [Fact]
    public void ASlotIsTakenAgainOnlyAfterThoseWhoMetItHaveLeft()
    {
        var epochs = new EpochClock();
        using var table = new SlotTable(epochs);
        var slot = Insert(table, new PointId(1), 1, SlotTable.None);
        table.End(slot, 2);
        var ticket = epochs.Enter();
        table.Release(slot);
        Assert.NotEqual(slot, Insert(table, new PointId(2), 3, SlotTable.None));
        epochs.Exit(ticket);
        Assert.Equal(slot, Insert(table, new PointId(3), 4, SlotTable.None));
        Assert.False(table.TryFind(new PointId(1), 9, out _));
        Assert.True(table.TryFind(new PointId(3), 9, out _));
    }

    [Fact]
    public void ReleasingAnOldVersionTakesItOutOfTheChainOnly()
    {
        using var table = new SlotTable(new EpochClock());
        var id = new PointId(4);
        var first = Insert(table, id, 1, SlotTable.None);
        var second = Insert(table, id, 2, first);
        table.Release(first);
        Assert.True(table.TryFind(id, 2, out var seen));
        Assert.Equal(second, seen);
        Assert.False(table.TryFind(id, 1, out _));
    }

    [Fact]
    public void IdsComeAndGoAndAreFoundStill()
    {
        using var table = new SlotTable(new EpochClock());
        var random = new Random(5);
        var live = new Dictionary<PointId, int>();
        for (var operation = 1; operation < 20_000; operation++)
        {
            var id = new PointId((ulong)random.Next(3000));
            if (live.Remove(id, out var slot))
            {
                table.End(slot, operation);
                table.Release(slot);
            }
            else
            {
                live[id] = Insert(table, id, operation, SlotTable.None);
            }
        }

        for (var i = 0UL; i < 3000; i++)
        {
            Assert.Equal(live.ContainsKey(new PointId(i)), table.TryFind(new PointId(i), long.MaxValue - 1, out var slot));
            if (live.TryGetValue(new PointId(i), out var expected))
                Assert.Equal(expected, slot);
        }

        Assert.True(table.Count < 4000, $"{table.Count} slots for {live.Count} points");
    }

    [Fact]
    public void AnImageHoldsTheLiveVersions()
    {
        using var table = new SlotTable(new EpochClock());
        for (var i = 1; i <= 5000; i++)
            Insert(table, new PointId((ulong)i), i, SlotTable.None);
        table.Release(10);
        using var stream = new MemoryStream();
        table.Save(stream, table.Count, 5000);
        stream.Position = 0;
        using var read = SlotTable.Load(stream, new EpochClock());
        Assert.Equal(4999, read.LiveCount);
        Assert.False(read.TryFind(new PointId(11), 9999, out _));
        Assert.True(read.TryFind(new PointId(12), 9999, out var slot));
        Assert.Equal(12, read.BirthOf(slot));
        Assert.Equal(10, read.Take(new PointId(99_999), 5001, SlotTable.None));
    }

    private static int Insert(SlotTable table, PointId id, long operation, int previous)
    {
        var slot = table.Take(id, operation, previous);
        table.Link(slot);
        if (previous >= 0)
            table.End(previous, operation);
        return slot;
    }
}
