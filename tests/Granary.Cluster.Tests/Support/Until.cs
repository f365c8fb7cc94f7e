using System.Diagnostics;

namespace Granary.Cluster.Tests.Support;

/// <summary>Waits for what other processes do.</summary>
internal static class Until
{
    /// <summary>After so long something hangs; how fast it should be is not said here.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks until a condition holds; returns how long that took.</summary>
    /// <param name="condition">Null when it holds, otherwise what is missing.</param>
    public static async Task<TimeSpan> NothingIsMissingAsync(Func<Task<string?>> condition)
    {
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(LookEvery);
        while (await condition() is { } missing)
        {
            if (Stopwatch.GetElapsedTime(started) > Hang)
                throw new TimeoutException($"After {Hang.TotalSeconds} s still: {missing}");
            await timer.WaitForNextTickAsync();
        }

        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Lets so much time go by, for loads that last a while.</summary>
    public static async Task PassedAsync(TimeSpan time, CancellationToken cancellation = default)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync(cancellation);
    }
}
