using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class CancellationTests
{
    private const int Rows = 20_000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AScanEndsSoonAfterItIsNotWantedAnyMore(int way)
    {
        var schema = new DenseVectorSchema("v", 2, Distance.Dot) { Hnsw = new HnswSettings { M = 0 }, MultiVector = way > 1 };
        using var dense = new DenseField(schema, new EpochClock());
        using var multi = new MultiField(schema, new EpochClock());
        for (var slot = 0; slot < Rows; slot++)
        {
            if (way > 1)
                multi.Add([slot, 1f], slot);
            else
                dense.Add([slot, 1f], slot);
        }

        using var source = new CancellationTokenSource();
        var filter = new Cancelling(source, new int[1]);
        int[] rows = [.. Enumerable.Range(0, Rows)];
        var hits = new List<SlotHit>();
        var query = new DenseQuery(schema, [1f, 1f]);
        var matrix = new MultiQuery(schema, [1f, 1f]);
        Action search = way switch
        {
            0 => () => dense.Search(new DenseSearch(query, 5) { Cancellation = source.Token }, ref filter, hits),
            1 => () => dense.SearchRows(query, 5, rows, ref filter, hits, source.Token),
            2 => () => multi.SearchExact(matrix, 5, ref filter, hits, source.Token),
            _ => () => multi.SearchRows(matrix, 5, rows, ref filter, hits, source.Token),
        };
        Assert.Throws<OperationCanceledException>(search);
        Assert.InRange(filter.Asked[0], 1, 4096);
        Assert.Empty(hits);
    }

    private readonly struct Cancelling(CancellationTokenSource source, int[] asked) : ISlotFilter
    {
        public int[] Asked => asked;

        public bool TryAccept(ref int slot)
        {
            asked[0]++;
            source.Cancel();
            return true;
        }
    }
}
