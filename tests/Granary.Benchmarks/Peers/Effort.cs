using System.Globalization;
using System.Text.Json.Nodes;

namespace Granary.Benchmarks;

/// <summary>One setting of a peer's search effort: the recall it gives and the rates measured at it.</summary>
internal sealed class Effort(JsonObject settings, double recall, double firstRate)
{
    private readonly Dictionary<(int Threads, int Round), PeerTiming> _timings = [];

    /// <summary>The members merged into a search request.</summary>
    public JsonObject Settings => settings;

    public double Recall => recall;

    /// <summary>Queries a second when the recall was counted.</summary>
    public double FirstRate => firstRate;

    /// <summary>The one number of an effort that is <c>ef</c> alone, else null.</summary>
    public int? Ef => settings.Count == 1 ? (int?)settings["ef"] : null;

    public string Label => string.Join(" ", settings.Select(pair => $"{pair.Key} {pair.Value}"));

    /// <summary>The median rate over the rounds on one thread, or where there were none the first.</summary>
    public double Rate
    {
        get
        {
            var rates = _timings.Where(pair => pair.Key.Threads == 1).Select(pair => pair.Value.Rate).ToArray();
            return rates.Length > 0 ? new Spread(rates).Median : firstRate;
        }
    }

    public bool Has(int threads, int round) => _timings.ContainsKey((threads, round));

    public void Set(int threads, int round, PeerTiming timing) => _timings[(threads, round)] = timing;

    public PeerTiming Get(int threads, int round) => _timings[(threads, round)];
}

/// <summary>One pass of queries.</summary>
/// <param name="Rate">Queries a second.</param>
/// <param name="CpuRate">Queries a second of processor time.</param>
/// <param name="P50">The median of a query's time, microseconds.</param>
/// <param name="P99">The 99th percentile of a query's time, microseconds.</param>
/// <param name="ClientCpu">The client's processor time a query, microseconds, where client and server are two.</param>
internal readonly record struct PeerTiming(double Rate, double CpuRate, double P50, double P99, double ClientCpu)
{
    /// <summary>Between two efforts, at a share of the way from this to the other; rates are taken as exponential in recall.</summary>
    public PeerTiming Toward(PeerTiming other, double share) => new(
        Between(Rate, other.Rate, share), Between(CpuRate, other.CpuRate, share),
        Between(P50, other.P50, share), Between(P99, other.P99, share), Between(ClientCpu, other.ClientCpu, share));

    private static double Between(double a, double b, double share) => a == 0 ? 0 : a * Math.Pow(b / a, share);
}

/// <summary>Values of several rounds.</summary>
internal sealed class Spread
{
    private readonly double[] _sorted;

    public Spread(IEnumerable<double> values) => _sorted = [.. values.Order()];

    public double Median => _sorted.Length % 2 == 1
        ? _sorted[_sorted.Length / 2]
        : (_sorted[(_sorted.Length / 2) - 1] + _sorted[_sorted.Length / 2]) / 2;

    public double Least => _sorted[0];

    public double Most => _sorted[^1];

    /// <summary>Median and, in brackets, least and most.</summary>
    public string Text(string format = "N0") => $"{Text(Median, format)} ({Text(Least, format)}-{Text(Most, format)})";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
