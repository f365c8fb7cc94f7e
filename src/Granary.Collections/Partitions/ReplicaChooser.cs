namespace Granary.Collections.Partitions;

/// <summary>
/// Which replica is asked first, and when another one: by where they are, how fast they answered, and whether they failed.
/// </summary>
internal sealed class ReplicaChooser
{
    private const double Weight = 0.1;
    private const double TokensEach = 0.1;
    private const double MostTokens = 10;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private readonly IReadOnlyList<IReplicaPort> _ports;
    private readonly RemotePartitionOptions _options;
    private readonly TimeProvider _time;
    private readonly Seen[] _seen;
    private double _tokens = MostTokens;
    private uint _turn;

    public ReplicaChooser(IReadOnlyList<IReplicaPort> ports, RemotePartitionOptions options, TimeProvider time)
    {
        (_ports, _options, _time) = (ports, options, time);
        _seen = [.. ports.Select(_ => new Seen())];
    }

    /// <summary>
    /// The replicas, best first: those that rest after a failure last, then local ones first, then by latency; those that are about as fast
    /// as each other in turn.
    /// </summary>
    public int[] Order()
    {
        var order = new int[_ports.Count];
        var keys = new (TimeSpan Pause, bool Far, int Latency, int Turn)[order.Length];
        lock (_lock)
        {
            _tokens = Math.Min(MostTokens, _tokens + TokensEach);
            var turn = (int)(_turn++ % order.Length);
            for (var i = 0; i < order.Length; i++)
            {
                var seen = _seen[i];
                var pause = seen.Failures == 0 ? TimeSpan.Zero : seen.Pause - _time.GetElapsedTime(seen.FailedAt);
                keys[i] = (
                    pause > TimeSpan.Zero ? pause : TimeSpan.Zero, !_ports[i].IsLocal, (int)Math.Log2(Math.Max(1, seen.Average)),
                    (i - turn + order.Length) % order.Length);
                order[i] = i;
            }
        }

        Array.Sort(keys, order);
        return order;
    }

    /// <summary>Whether another replica may be asked although nobody failed: at most for one request in ten in the long run.</summary>
    public bool TryHedge()
    {
        lock (_lock)
        {
            if (_tokens < 1)
                return false;
            _tokens--;
            return true;
        }
    }

    /// <summary>After how long without an answer another one is asked: what 95 of 100 requests take there, within bounds.</summary>
    public TimeSpan HedgeAfter(int replica)
    {
        lock (_lock)
        {
            var usual = _seen[replica].Slow();
            return usual < _options.LeastHedge ? _options.LeastHedge : usual > _options.MostHedge ? _options.MostHedge : usual;
        }
    }

    /// <summary>It answered, or somebody else did before it: then it takes at least so long.</summary>
    public void Took(int replica, TimeSpan time, bool answered)
    {
        lock (_lock)
        {
            var seen = _seen[replica];
            seen.Add(time);
            if (answered)
                seen.Failures = 0;
        }
    }

    /// <summary>It could not be reached, or does not serve: it is left alone for a while, longer every time.</summary>
    public void Failed(int replica)
    {
        lock (_lock)
        {
            var seen = _seen[replica];
            seen.Failures = Math.Min(seen.Failures + 1, 16);
            var pause = FirstPause * (1 << (seen.Failures - 1));
            (seen.Pause, seen.FailedAt) = (pause < LongestPause ? pause : LongestPause, _time.GetTimestamp());
        }
    }

    private sealed class Seen
    {
        private const int Kept = 64;
        private const int Resort = 8;
        private readonly TimeSpan[] _newest = new TimeSpan[Kept];
        private TimeSpan _slow;
        private long _count;

        public double Average { get; private set; }

        public int Failures { get; set; }

        public TimeSpan Pause { get; set; }

        public long FailedAt { get; set; }

        public void Add(TimeSpan time)
        {
            var ms = time.TotalMilliseconds;
            Average = _count == 0 ? ms : (Average * (1 - Weight)) + (ms * Weight);
            _newest[_count++ % Kept] = time;
            if (_count % Resort == 0)
            {
                var sorted = _newest.AsSpan(0, (int)Math.Min(_count, Kept)).ToArray();
                Array.Sort(sorted);
                _slow = sorted[sorted.Length * 95 / 100];
            }
        }

        public TimeSpan Slow() => _slow;
    }
}
