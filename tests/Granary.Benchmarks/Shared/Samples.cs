namespace Granary.Benchmarks;

/// <summary>Measured times and their percentiles.</summary>
internal sealed class Samples(int capacity)
{
    private readonly List<double> _values = new(capacity);

    public int Count => _values.Count;

    public double Mean => _values.Average();

    public void Add(TimeSpan time) => _values.Add(time.TotalMicroseconds);

    /// <summary>Nearest-rank percentile, microseconds.</summary>
    public double Percentile(double p)
    {
        _values.Sort();
        return _values[Math.Clamp((int)Math.Ceiling(p / 100 * _values.Count) - 1, 0, _values.Count - 1)];
    }

    public override string ToString() =>
        $"mean {Mean:F1} us, p50 {Percentile(50):F1}, p95 {Percentile(95):F1}, p99 {Percentile(99):F1}, max {Percentile(100):F1} "
            + $"(n={Count})";
}
