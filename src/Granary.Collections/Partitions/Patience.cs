using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>Calls that are made again while whoever answers them is moving to another process.</summary>
internal static class Patience
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Whether a call may come out otherwise when it is made again or elsewhere: nobody answered, or who did cannot.</summary>
    public static bool IsPassing(Exception e, CancellationToken cancellation) => e switch
    {
        GranaryException known => known.Kind == ErrorKind.Unavailable,
        OperationCanceledException => !cancellation.IsCancellationRequested,
        ArgumentException or NullReferenceException or InvalidCastException => false,
        _ => true,
    };

    /// <summary>Makes a call until it is answered, in whatever way, or the time is over.</summary>
    /// <param name="call">Makes it; told whether it may have been made before.</param>
    /// <param name="limit">For how long; null: for ever.</param>
    /// <param name="what">What it is for, for the error.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async ValueTask<T> InsistAsync<T>(
        Func<bool, ValueTask<T>> call, TimeSpan? limit, string what, TimeProvider time, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var pause = FirstPause;
        for (var retry = false; ; retry = true)
        {
            try
            {
                return await call(retry).ConfigureAwait(false);
            }
            catch (Exception e) when (IsPassing(e, cancellation))
            {
                if (limit is { } most && time.GetElapsedTime(started) + pause > most)
                {
                    throw new GranaryException(
                        ErrorKind.Unavailable, $"{what} is unavailable: no answer within {most.TotalSeconds:0.###} s ({e.Message})", e);
                }
            }

            await Task.Delay(pause, time, cancellation).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }
}
