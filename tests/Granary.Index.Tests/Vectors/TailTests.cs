using Granary.Index.Search;

namespace Granary.Index.Tests.Vectors;

public sealed class TailTests
{
    private const int Size = 16;
    private const int Graph = 300;
    private const int Tail = 10;
    private static readonly float[][] Vectors = TestVectors.Clustered(4000, Size, 71);

    [Theory]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(3000)]
    public void ARowThatIsLinkedDuringASearchAndLeavesTheQueueIsFound(int later)
    {
        using var field = TestVectors.Field(Vectors[..Graph], Distance.Euclid);
        for (var slot = Graph; slot < Graph + Tail; slot++)
            field.Add(Vectors[slot], slot);

        // The walk has ended when the filter is asked for the first time; the tail is looked at afterwards.
        var meanwhile = new Meanwhile(() =>
        {
            field.Link(Tail, 1, CancellationToken.None);
            for (var slot = Graph + Tail; slot < Graph + Tail + later; slot++)
                field.Add(Vectors[slot], slot);
        });
        var hits = TestVectors.Search(field, Vectors[Graph + 3], 3, new Interrupted(meanwhile), ef: 20);
        Assert.True(meanwhile.Done);
        Assert.Equal((Graph + 3, 0f), (hits[0].Slot, hits[0].Score));
    }

    private sealed class Meanwhile(Action action)
    {
        public bool Done { get; private set; }

        public void Happen()
        {
            if (Done)
                return;
            Done = true;
            action();
        }
    }

    private readonly struct Interrupted(Meanwhile meanwhile) : ISlotFilter
    {
        public bool TryAccept(ref int slot)
        {
            meanwhile.Happen();
            return true;
        }
    }
}
