using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

public sealed class TextCancelTests
{
    [Fact]
    public void ASearchAfterACancelledOneOnItsThreadFindsWhatItShould()
    {
        var field = new TextField(
            new("body", "body") { Analyzer = new() { Tokenizer = "whitespace", Language = "none" } }, new EpochClock());
        for (var i = 0; i < 40_000; i++)
            field.Add([i % 2 == 0 ? "a b" : "a"], i);
        using var source = new CancellationTokenSource();
        var cancels = new Cancels(source);
        Assert.Throws<OperationCanceledException>(() => field.Search("a", 30_000, null, ref cancels, [], source.Token));
        var all = new Cancels(null);
        var hits = new List<SlotHit>();
        field.Search("a b", 5, null, ref all, hits);
        Assert.Equal([0, 2, 4, 6, 8], hits.Select(hit => hit.Slot));
    }

    private readonly struct Cancels(CancellationTokenSource? source) : ISlotFilter
    {
        public bool TryAccept(ref int slot)
        {
            source?.Cancel();
            return true;
        }

        public bool Precedes(int slot, int other) => slot < other;
    }
}
