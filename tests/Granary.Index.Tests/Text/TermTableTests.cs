using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

public sealed class TermTableTests
{
    private static readonly TextFieldSchema Schema = new("text", "text");

    [Fact]
    public void Terms_are_found_until_they_are_dropped_and_again_when_added_anew()
    {
        var table = new TermTable();
        var known = new Dictionary<string, TextField.Term>(StringComparer.Ordinal);
        var random = new Random(5);
        for (var step = 0; step < 20_000; step++)
        {
            var text = "t" + random.Next(2_000);
            if (known.Remove(text, out var gone))
            {
                Assert.False(table.TryAdd(New(text)));
                table.Drop(gone);
                Assert.Null(table.Find(text));
            }
            else
            {
                Assert.Null(table.Find(text));
                Assert.True(table.TryAdd(known[text] = New(text)));
            }

            Assert.Same(known.GetValueOrDefault(text), table.Find(text, TermTable.HashOf(text)));
        }

        for (var i = 0; i < 2_000; i++)
            Assert.Same(known.GetValueOrDefault("t" + i), table.Find("t" + i));
        Assert.InRange(table.Bytes, 16 * known.Count, 16 * 8_192);
    }

    [Fact]
    public async Task What_is_there_is_found_while_others_come_and_go()
    {
        var table = new TermTable();
        var lasting = Enumerable.Range(0, 200).Select(i => New("lasting" + i)).ToArray();
        foreach (var term in lasting)
            table.TryAdd(term);
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (var round = 0; round == 0 || !stop.IsCancellationRequested; round++)
            {
                foreach (var term in lasting)
                    Assert.Same(term, table.Find(term.Text));
                Assert.Null(table.Find("never"));
            }
        })).ToArray();
        var going = new Queue<TextField.Term>();
        for (var i = 0; i < 50_000; i++)
        {
            var term = New("going" + i);
            Assert.True(table.TryAdd(term));
            going.Enqueue(term);
            if (going.Count > 300)
                table.Drop(going.Dequeue());
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.InRange(table.Bytes, 16 * 500, 16 * 4_096);
    }

    [Fact]
    public void Terms_that_were_dropped_are_let_go_although_none_is_added()
    {
        var table = new TermTable();
        var terms = Enumerable.Range(0, 5_000).Select(i => New("t" + i)).ToArray();
        foreach (var term in terms)
            Assert.True(table.TryAdd(term));
        for (var i = 0; i < terms.Length; i++)
        {
            if (i % 100 != 0)
                table.Drop(terms[i]);
        }

        for (var i = 0; i < terms.Length; i++)
            Assert.Same(i % 100 == 0 ? terms[i] : null, table.Find("t" + i));
        Assert.InRange(table.Bytes, 16 * 50, 16 * 512);
    }

    private static TextField.Term New(string text) => new(text, 0, Schema, new ImpactLayouts(() => long.MaxValue));
}
