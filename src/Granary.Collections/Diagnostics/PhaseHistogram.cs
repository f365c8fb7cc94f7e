using System.Diagnostics;
using System.Numerics;

namespace Granary.Collections.Diagnostics;

/// <summary>
/// Durations of one phase in log-linear buckets (eight to each power of two, so a percentile is within 12.5 %). Recording is
/// two interlocked additions.
/// </summary>
/// <param name="phase">The phase's name.</param>
public sealed class PhaseHistogram(string phase)
{
    private const int SubBits = 3;
    private readonly long[] _buckets = new long[64 << SubBits];
    private readonly KeyValuePair<string, object?> _tag = new("phase", phase);
    private long _totalNanoseconds;

    /// <summary>Records a duration that <paramref name="count"/> operations shared: each counts with its part.</summary>
    /// <param name="elapsed">Ticks of <see cref="Stopwatch"/>.</param>
    /// <param name="count">How many operations it was for.</param>
    public void Record(long elapsed, long count = 1)
    {
        if (count <= 0)
            return;
        var total = Math.Max(0, elapsed) * (1_000_000_000L / Stopwatch.Frequency);
        Interlocked.Add(ref _buckets[Bucket((ulong)(total / count))], count);
        Interlocked.Add(ref _totalNanoseconds, total);
        if (Telemetry.Phases.Enabled)
            Telemetry.Phases.Record(total / 1e6 / count, _tag);
    }

    /// <summary>Records a duration.</summary>
    public void Record(TimeSpan elapsed, long count = 1) => Record((long)(elapsed.TotalSeconds * Stopwatch.Frequency), count);

    /// <summary>The timings so far.</summary>
    public PhaseTiming Snapshot() => Sum([this], phase);

    /// <summary>The timings of one phase over several partitions.</summary>
    public static PhaseTiming Sum(IReadOnlyList<PhaseHistogram> parts, string phase)
    {
        var buckets = new long[64 << SubBits];
        double total = 0;
        foreach (var part in parts)
        {
            for (var i = 0; i < buckets.Length; i++)
                buckets[i] += Volatile.Read(ref part._buckets[i]);
            total += Volatile.Read(ref part._totalNanoseconds);
        }

        var count = buckets.Sum();
        return new PhaseTiming(phase, count, total / 1000, At(0.50), At(0.95), At(0.99));

        double At(double quantile)
        {
            var rank = (long)Math.Ceiling(count * quantile);
            for (var i = 0; i < buckets.Length && rank > 0; i++)
            {
                rank -= buckets[i];
                if (rank <= 0)
                    return Middle(i) / 1000;
            }

            return 0;
        }
    }

    private static int Bucket(ulong nanoseconds)
    {
        if (nanoseconds < 1 << SubBits)
            return (int)nanoseconds;
        var exponent = BitOperations.Log2(nanoseconds);
        var sub = (int)(nanoseconds >> (exponent - SubBits)) & ((1 << SubBits) - 1);
        return ((exponent - SubBits + 1) << SubBits) + sub;
    }

    private static double Middle(int bucket)
    {
        if (bucket < 1 << SubBits)
            return bucket;
        var shift = (bucket >> SubBits) - 1;
        var low = (double)((1 << SubBits) + (bucket & ((1 << SubBits) - 1))) * Math.Pow(2, shift);
        return low + (Math.Pow(2, shift) / 2);
    }
}
