using System.Diagnostics;

namespace Granary.Benchmarks;

/// <summary>
/// Ways to answer the same queries, timed query by query in turn over several rounds. A way's time for a query is the best of the
/// rounds, and its time the mean over the queries, as search benchmarks do where a machine has other work.
/// </summary>
internal sealed class Sweep(int queries, int rounds)
{
    private readonly List<(string Name, Func<int, double> Run, double Recall, double[] Micros)> _ways = [];

    /// <summary>Adds a way: <paramref name="run"/> answers a query, <paramref name="check"/> gives the answer's recall.</summary>
    public void Add(string name, Action<int> run, Func<int, double> check)
    {
        var recall = 0.0;
        for (var i = 0; i < queries; i++)
        {
            run(i);
            recall += check(i) / queries;
        }

        _ways.Add((name, i =>
        {
            var start = Stopwatch.GetTimestamp();
            run(i);
            return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }, recall, new double[queries]));
    }

    /// <summary>Times all ways.</summary>
    public void Run()
    {
        foreach (var way in _ways)
            way.Micros.AsSpan().Fill(double.PositiveInfinity);
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < queries; i++)
            {
                // No way comes to a query that the one before it brought into the caches.
                for (var way = 0; way < _ways.Count; way++)
                {
                    var query = (int)((i + (way * 37L)) % queries);
                    _ways[way].Micros[query] = Math.Min(_ways[way].Micros[query], _ways[way].Run(query));
                }
            }
        }
    }

    /// <summary>Recall and mean microseconds of the ways whose names begin so.</summary>
    public IEnumerable<(string Name, double Recall, double Micros)> Results(string prefix) =>
        _ways.Where(w => w.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(w => (w.Name, w.Recall, w.Micros.Average()));

    /// <summary>
    /// Queries a second where the recall is first reached, between the ways around it linear in recall and the logarithm of time; the
    /// fastest way that reaches it where none is below; NaN where none reaches it.
    /// </summary>
    public double QueriesAt(string prefix, double recall)
    {
        var ways = Results(prefix).OrderBy(w => w.Micros).ToArray();
        for (var i = 0; i < ways.Length; i++)
        {
            if (ways[i].Recall < recall)
                continue;
            if (i == 0 || ways[i].Recall <= ways[i - 1].Recall)
                return 1e6 / ways[i].Micros;
            var part = (recall - ways[i - 1].Recall) / (ways[i].Recall - ways[i - 1].Recall);
            return 1e6 / (ways[i - 1].Micros * Math.Pow(ways[i].Micros / ways[i - 1].Micros, part));
        }

        return double.NaN;
    }
}
