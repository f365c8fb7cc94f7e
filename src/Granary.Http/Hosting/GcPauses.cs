namespace Granary.Http.Hosting;

/// <summary>
/// How long the garbage collector stopped the process, pause by pause: the runtime itself tells their sum and the last one only.
/// </summary>
internal sealed class GcPauses
{
    private static readonly TimeSpan[] Limits =
    [
        TimeSpan.FromMicroseconds(100), TimeSpan.FromMicroseconds(200), TimeSpan.FromMicroseconds(500), TimeSpan.FromMilliseconds(1),
        TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20),
        TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(500),
        TimeSpan.FromSeconds(1),
    ];

    private readonly long[] _counts = new long[Limits.Length + 1];
    private long _ticks;
    private long _last;
    private long _lastBackground;

    /// <summary>Those of this process, since it was first asked for.</summary>
    public static GcPauses OfProcess { get; } = Started();

    /// <summary>The pauses so far: how many took at most so long, for each limit and for all; and their sum.</summary>
    public (IReadOnlyList<(TimeSpan? AtMost, long Count)> Buckets, TimeSpan Sum) Snapshot()
    {
        var buckets = new List<(TimeSpan?, long)>(_counts.Length);
        long below = 0;
        for (var i = 0; i < _counts.Length; i++)
            buckets.Add((i < Limits.Length ? Limits[i] : null, below += Volatile.Read(ref _counts[i])));
        return (buckets, TimeSpan.FromTicks(Volatile.Read(ref _ticks)));
    }

    /// <summary>Counts a pause.</summary>
    internal void Add(TimeSpan pause)
    {
        var place = 0;
        while (place < Limits.Length && pause > Limits[place])
            place++;
        Interlocked.Increment(ref _counts[place]);
        Interlocked.Add(ref _ticks, pause.Ticks);
    }

    private static GcPauses Started()
    {
        var pauses = new GcPauses();
        _ = new Sentinel(pauses);
        return pauses;
    }

    private void Look()
    {
        Look(GC.GetGCMemoryInfo(GCKind.Any), ref _last);
        // One that ended since then hides the end of a collection in the background.
        Look(GC.GetGCMemoryInfo(GCKind.Background), ref _lastBackground);
    }

    private void Look(in GCMemoryInfo info, ref long last)
    {
        if (info.Index <= last || info.Index == 0)
            return;
        // The newest of all may be one in the background: it counts once.
        if (info.Concurrent)
        {
            if (info.Index <= _lastBackground)
                return;
            _lastBackground = info.Index;
        }

        last = info.Index;
        foreach (var pause in info.PauseDurations)
        {
            if (pause > TimeSpan.Zero)
                Add(pause);
        }
    }

    /// <summary>
    /// Nothing refers to it, so that every collection finds it dead and runs its finalizer: that is when there are pauses to look at.
    /// </summary>
    private sealed class Sentinel(GcPauses owner)
    {
        ~Sentinel()
        {
            owner.Look();
            if (!Environment.HasShutdownStarted)
                _ = new Sentinel(owner);
        }
    }
}
