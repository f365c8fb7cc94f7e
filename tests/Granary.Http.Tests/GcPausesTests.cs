using Granary.Http.Hosting;

namespace Granary.Http.Tests;

public sealed class GcPausesTests
{
    [Fact]
    public void Pauses_of_collections_are_counted_by_their_length()
    {
        var pauses = GcPauses.OfProcess;
        var (before, sum) = pauses.Snapshot();
        do
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        while (pauses.Snapshot().Buckets[^1].Count < before[^1].Count + 3);

        var (after, longer) = pauses.Snapshot();
        Assert.True(longer > sum);
        Assert.Null(after[^1].AtMost);
        Assert.Equal(after.Select(static b => b.Count).Order(), after.Select(static b => b.Count));
        Assert.Equal(after.SkipLast(1).Select(static b => b.AtMost).Order(), after.SkipLast(1).Select(static b => b.AtMost));
    }

    [Theory]
    [InlineData(100, 0.0001)]
    [InlineData(101, 0.0002)]
    [InlineData(1_000_000, 1.0)]
    [InlineData(1_000_001, null)]
    public void A_pause_counts_with_the_first_limit_it_does_not_exceed(int microseconds, double? limit)
    {
        var pauses = new GcPauses();
        pauses.Add(TimeSpan.FromMicroseconds(microseconds));
        var (buckets, sum) = pauses.Snapshot();
        Assert.Equal(limit, buckets.First(static b => b.Count == 1).AtMost?.TotalSeconds);
        Assert.Equal(microseconds, sum.TotalMicroseconds);
        Assert.Equal(1, buckets[^1].Count);
    }
}
