using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

/// <summary>The order of documents by what terms they share.</summary>
public sealed class DocumentOrderTests
{
    private const int Topics = 16;
    private const int TermsATopic = 50;
    private const int TermCount = (Topics * TermsATopic) + 40;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void EveryDocumentHasOnePlace(int count)
    {
        var documents = Documents(count);
        var order = DocumentOrder.Find(count, 10 * count, doc => documents[doc], CancellationToken.None);
        Assert.Equal(Enumerable.Range(0, count), order.Order());
        Assert.Equal(order, DocumentOrder.Find(count, 10 * count, doc => documents[doc], CancellationToken.None));
    }

    [Fact]
    public void DocumentsWithoutTermsHavePlacesToo()
    {
        var order = DocumentOrder.Find(500, 250, doc => doc % 2 == 0 ? [] : [doc % 10], CancellationToken.None);
        Assert.Equal(Enumerable.Range(0, 500), order.Order());
    }

    [Fact]
    public void WhatSharesTermsStandsTogether()
    {
        const int count = 8_000;
        var documents = Documents(count);
        var order = DocumentOrder.Find(count, 10 * count, doc => documents[doc], CancellationToken.None);

        // By chance one of 16 neighbours is of the same topic; 0.98 were, when this was written.
        var together = order.Zip(order.Skip(1)).Count(pair => pair.First % Topics == pair.Second % Topics);
        Assert.InRange(together / (double)count, 0.9, 1);

        // Gaps are what the method makes small.
        Assert.InRange(GapBits(documents, order) / GapBits(documents, [.. Enumerable.Range(0, count)]), 0, 0.8);
    }

    [Fact]
    public void CancellingEndsIt()
    {
        using var cancellation = new CancellationTokenSource();
        var asked = 0;
        Assert.Throws<OperationCanceledException>(() => DocumentOrder.Find(
            40_000,
            0,
            doc =>
            {
                if (++asked == 30_000)
                    cancellation.Cancel();
                return [doc % 100];
            },
            cancellation.Token));
        Assert.InRange(asked, 30_000, 32_000);
    }

    // Document d is of topic d mod 16: eight words of it, and two that any document may have.
    private static int[][] Documents(int count)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(doc => (int[])[
            .. Enumerable.Range(0, 8).Select(_ => (doc % Topics * TermsATopic) + random.Next(TermsATopic)).Distinct(),
            .. Enumerable.Range(0, 2).Select(_ => (Topics * TermsATopic) + random.Next(40)).Distinct()])];
    }

    private static double GapBits(int[][] documents, int[] order)
    {
        var last = new int[TermCount];
        Array.Fill(last, -1);
        var bits = 0.0;
        for (var place = 0; place < order.Length; place++)
        {
            foreach (var term in documents[order[place]])
            {
                bits += Math.Log2(place - last[term] + 1);
                last[term] = place;
            }
        }

        return bits;
    }
}
