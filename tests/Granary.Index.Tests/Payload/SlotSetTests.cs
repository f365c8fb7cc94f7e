using FsCheck;
using FsCheck.Fluent;
using Granary.Index.Payload;

namespace Granary.Index.Tests.Payload;

public sealed class SlotSetTests
{
    [Fact]
    public void A_slot_set_is_a_set() => Prop.ForAll<int>(seed =>
    {
        var random = new Random(seed);
        var set = new SlotSet();
        var model = new SortedSet<int>();
        var range = new[] { 60, 5000, 200_000 }[random.Next(3)];
        for (var i = random.Next(6_000); i > 0; i--)
        {
            var slot = random.Next(range);
            if (random.Next(5) > 0)
                Assert.Equal(model.Add(slot), set.Add(slot));
            else
                Assert.Equal(model.Remove(slot), set.Remove(slot));
            Assert.Equal(model.Contains(slot + 1), set.Contains(slot + 1));
        }

        Assert.Equal(model.Count, set.Count);
        Assert.Equal(model, set.Slots());
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Sorted_entries_keep_their_order_and_count_ranges() => Prop.ForAll<int>(seed =>
    {
        var random = new Random(seed);
        var entries = new SortedEntries<long>();
        var model = new SortedSet<(long Key, int Slot)>();
        var range = random.Next(2) == 0 ? 20 : 2000;
        for (var i = random.Next(4000); i > 0; i--)
        {
            var entry = (Key: (long)random.Next(range), Slot: random.Next(300));
            if (random.Next(4) > 0)
                Assert.Equal(model.Add(entry), entries.Add(entry.Key, entry.Slot));
            else
                Assert.Equal(model.Remove(entry), entries.Remove(entry.Key, entry.Slot));
        }

        long from = random.Next(range), to = random.Next(range);
        Assert.Equal(model, entries.Ascending(null, null));
        Assert.Equal(model.Where(e => e.Key >= from), entries.Ascending(from, null));
        Assert.Equal(model.Where(e => e.Key >= from && e.Key <= to), entries.Ascending(from, to));
        Assert.Equal(model.Where(e => e.Key <= from).Reverse(), entries.Descending(from));
        Assert.Equal(model.Count(e => e.Key >= from && e.Key <= to), entries.CountRange(from, to));
        var rebuilt = new SortedEntries<long>();
        rebuilt.Build([.. model.Reverse(), .. model.Take(3)]);
        Assert.Equal(model, rebuilt.Ascending(null, null));
    }).QuickCheckThrowOnFailure();
}
