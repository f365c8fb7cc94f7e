using Granary.Index.Filters;
using Granary.Index.Payload;

namespace Granary.Index.Tests.Filters;

public sealed class ValueNodeTests
{
    private const int Slots = 2000;

    [Theory]
    [InlineData(100, 16)]
    [InlineData(1_024, 16)]
    [InlineData(64_000, 1_000)]
    public void TheBitmapOfAllCandidatesWaitsForAsManyQuestionsAsItIsWorth(int candidates, int questions)
    {
        using var bench = new PointBench();
        for (var i = 0; i < Slots; i++)
            bench.Put((ulong)i, i % 2 == 0 ? "{\"n\":\"even\"}" : "{\"n\":\"odd\"}");
        var scope = new FilterScope();
        var key = scope.Place("n"u8.ToArray());
        using var plan = FilterPlan.Compile(new Filter(), bench);
        var match = new EvenSlots(candidates) { IsExact = true };
        var node = new ValueNode(plan, key, [], new OneOfTest([MatchValue.Of("even")]), negated: false) { Match = match };
        var asked = 0;
        while (match.Fills == 0 && asked < Slots)
        {
            Assert.Equal(asked % 2 == 0, Ask(asked));
            asked++;
        }

        Assert.Equal((questions, 1), (asked, match.Fills));
        for (var slot = 0; slot < Slots; slot++)
            Assert.Equal(slot % 2 == 0, Ask(slot));
        Assert.Equal(1, match.Fills);

        bool Ask(int slot)
        {
            var at = new Evaluation(bench, slot, scope, stackalloc int[2]);
            return node.Matches(ref at);
        }
    }

    private sealed class EvenSlots(int count) : IndexMatch
    {
        public int Fills { get; private set; }

        public override long Count => count;

        public override void Fill(SlotBits bits)
        {
            Fills++;
            for (var slot = 0; slot < Slots; slot += 2)
                bits.Set(slot);
        }
    }
}
