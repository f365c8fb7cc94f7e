using Granary.Standalone.Hosting;

namespace Granary.Standalone.Tests.Hosting;

public sealed class ReceiveBlocksTests
{
    [Fact]
    public void A_block_is_used_again_once_it_was_given_back_and_by_one_alone()
    {
        using var pool = new ReceiveBlocks().Create();
        var first = pool.Rent(100);
        Assert.Equal(pool.MaxBufferSize, first.Memory.Length);
        first.Memory.Span.Fill(7);
        first.Dispose();
        first.Dispose();
        using var second = pool.Rent();
        using var third = pool.Rent(pool.MaxBufferSize);
        Assert.Same(first, second);
        Assert.NotSame(second, third);
    }

    [Fact]
    public void No_more_blocks_are_kept_than_are_worth_it()
    {
        using var pool = new ReceiveBlocks().Create();
        var taken = Enumerable.Range(0, 1000).Select(_ => pool.Rent()).ToList();
        Assert.Equal(1000, taken.Distinct().Count());
        taken.ForEach(static block => block.Dispose());
        var again = Enumerable.Range(0, 1000).Select(_ => pool.Rent()).ToList();
        Assert.Equal(1000, again.Distinct().Count());
        Assert.Equal(128, again.Intersect(taken).Count());
    }

    [Fact]
    public void More_than_a_block_is_refused()
    {
        using var pool = new ReceiveBlocks().Create();
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(pool.MaxBufferSize + 1));
    }
}
