using System.Collections.Concurrent;
using System.Diagnostics;

namespace Granary.Http.Hosting;

/// <summary>What the server counts and knows about itself.</summary>
internal sealed class ApiState(GranaryHttpOptions options)
{
    /// <summary>The settings.</summary>
    public GranaryHttpOptions Options { get; } = options;

    /// <summary>When it started.</summary>
    public DateTimeOffset StartedAt { get; } = DateTimeOffset.UtcNow;

    /// <summary>Responses by method, endpoint and status.</summary>
    public ConcurrentDictionary<(string Method, string Endpoint, int Status), ResponseCounter> Responses { get; } = new();

    /// <summary>Responses by collection, for <c>/metrics?per_collection=true</c>; kept for so many collections only.</summary>
    public ConcurrentDictionary<(string Method, string Endpoint, int Status, string Collection),
        ResponseCounter> ByCollection
    { get; } = new();

    /// <summary>Requests under way.</summary>
    public long Running;

    /// <summary>Rate limits of strict mode by collection.</summary>
    public ConcurrentDictionary<string, StrictMode.RateLimits> Rates { get; } = new(StringComparer.Ordinal);

    /// <summary>Counts a response.</summary>
    public void Count(string method, string endpoint, int status, long started, string? collection)
    {
        var time = Stopwatch.GetElapsedTime(started);
        Responses.GetOrAdd((method, endpoint, status), static _ => new ResponseCounter()).Add(time);
        // A caller may name collections without end: only what succeeded is remembered, and only while the collection is there.
        if (collection is null || status is < 200 or >= 300)
            return;
        if (method == "DELETE" && endpoint == "/collections/{collection_name}")
        {
            foreach (var key in ByCollection.Keys.Where(key => key.Collection == collection))
                ByCollection.TryRemove(key, out _);
            return;
        }

        if (ByCollection.TryGetValue((method, endpoint, status, collection), out var counter))
            counter.Add(time);
        else if (ByCollection.Count < MostByCollection)
            ByCollection.GetOrAdd((method, endpoint, status, collection), static _ => new ResponseCounter()).Add(time);
    }

    private const int MostByCollection = 10_000;
}

/// <summary>How often, and how long.</summary>
internal sealed class ResponseCounter
{
    private long _count;
    private long _ticks;
    private long _maximum;
    private long _minimum = long.MaxValue;

    /// <summary>How many.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Their times added up.</summary>
    public TimeSpan Total => TimeSpan.FromTicks(Volatile.Read(ref _ticks));

    /// <summary>The longest.</summary>
    public TimeSpan Maximum => TimeSpan.FromTicks(Volatile.Read(ref _maximum));

    /// <summary>The shortest.</summary>
    public TimeSpan Minimum => TimeSpan.FromTicks(Volatile.Read(ref _minimum));

    /// <summary>Adds one.</summary>
    public void Add(TimeSpan time)
    {
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _ticks, time.Ticks);
        for (var seen = _maximum; time.Ticks > seen; seen = _maximum)
            Interlocked.CompareExchange(ref _maximum, time.Ticks, seen);
        for (var seen = _minimum; time.Ticks < seen; seen = _minimum)
            Interlocked.CompareExchange(ref _minimum, time.Ticks, seen);
    }
}
