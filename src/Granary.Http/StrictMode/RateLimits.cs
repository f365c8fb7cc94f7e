namespace Granary.Http.StrictMode;

/// <summary>Token buckets of one collection, refilled once a minute as a whole over time.</summary>
internal sealed class RateLimits
{
    /// <summary>For reads.</summary>
    public TokenBucket Reads { get; } = new();

    /// <summary>For writes.</summary>
    public TokenBucket Writes { get; } = new();
}

/// <summary>A bucket that holds one minute's worth of tokens.</summary>
internal sealed class TokenBucket
{
    private readonly Lock _lock = new();
    private int _capacity;
    private double _tokens;
    private long _refilled;

    /// <summary>Takes tokens; when there are not enough, says how long until there are (null: never).</summary>
    public bool TryTake(int perMinute, double cost, TimeProvider time, out double left, out TimeSpan? wait)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_capacity != perMinute)
            {
                _capacity = perMinute;
                _tokens = perMinute;
            }
            else
            {
                _tokens = Math.Min(_capacity, _tokens + time.GetElapsedTime(_refilled, now).TotalMinutes * _capacity);
            }

            _refilled = now;
            wait = null;
            left = _tokens;
            if (cost <= _tokens)
            {
                _tokens -= cost;
                return true;
            }

            if (cost <= _capacity)
                wait = TimeSpan.FromMinutes((cost - _tokens) / _capacity);
            return false;
        }
    }
}
