using System.Diagnostics;
using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>What one kind of request cost in one round.</summary>
/// <param name="P50">The median of a request's time, microseconds.</param>
/// <param name="P99">The 99th percentile, microseconds.</param>
/// <param name="Rate">Requests a second.</param>
/// <param name="ServerCpu">The server's processor time a request, microseconds.</param>
/// <param name="ClientCpu">The client's processor time a request, microseconds.</param>
/// <param name="Heap">What its garbage collector did; null where it is not told.</param>
internal readonly record struct HttpCost(
    double P50, double P99, double Rate, double ServerCpu, double ClientCpu, ServerHeap? Heap);

/// <summary>A server and the requests of one kind to it.</summary>
/// <param name="name">What is asked.</param>
/// <param name="server">The process that answers.</param>
/// <param name="requests">The requests, whole; they are sent in turn.</param>
/// <param name="tellsHeap">Whether it has metrics.</param>
internal sealed class HttpCostTarget(string name, ServerProcess server, byte[][] requests, bool tellsHeap)
{
    private readonly List<HttpCost> _rounds = [];

    public string Name => name;

    /// <summary>Forgets what was measured, for another number of connections.</summary>
    public void Clear() => _rounds.Clear();

    /// <summary>Sends so many requests over each of the connections at the same time.</summary>
    public async Task RunAsync(int connections, int count, bool keep)
    {
        var times = new long[connections][];
        var heap = tellsHeap ? await ServerHeap.ReadAsync(server) : null;
        using var ready = new Barrier(connections + 1);
        var threads = new Thread[connections];
        for (var i = 0; i < connections; i++)
        {
            var lane = i;
            times[lane] = new long[count];
            threads[lane] = new Thread(() => Send(lane, times[lane], ready));
            threads[lane].Start();
        }

        var (serverCpu, clientCpu) = (server.ProcessorTime, Environment.CpuUsage.TotalTime);
        ready.SignalAndWait();
        var began = Stopwatch.GetTimestamp();
        foreach (var thread in threads)
            thread.Join();
        var elapsed = Stopwatch.GetElapsedTime(began);
        (serverCpu, clientCpu) = (server.ProcessorTime - serverCpu, Environment.CpuUsage.TotalTime - clientCpu);
        if (!keep)
            return;
        var all = times.SelectMany(static t => t).ToArray();
        Array.Sort(all);
        var total = (double)all.Length;
        _rounds.Add(new HttpCost(
            Microseconds(all[all.Length / 2]), Microseconds(all[all.Length * 99 / 100]), total / elapsed.TotalSeconds,
            serverCpu.TotalMicroseconds / total, clientCpu.TotalMicroseconds / total,
            heap is null ? null : (await ServerHeap.ReadAsync(server)).Since(heap)));
    }

    /// <summary>A line of the table.</summary>
    public string Row(int requestsARound)
    {
        var text = $"| {name} | {Spread(static r => r.P50)} | {Spread(static r => r.P99)} | {Spread(static r => r.Rate)} "
            // The kernel counts in hundredths of a second: only over all rounds that says something.
            + string.Create(CultureInfo.InvariantCulture,
                $"| {_rounds.Average(static r => r.ServerCpu):N0} | {_rounds.Average(static r => r.ClientCpu):N0} ");
        var heaps = _rounds.Where(static r => r.Heap is not null).Select(static r => r.Heap!).ToList();
        if (heaps.Count == 0)
            return text + "| | | |";
        double requests = (double)requestsARound * heaps.Count;
        var longest = heaps.Max(static h => h.LongestAtMost);
        return text + string.Create(CultureInfo.InvariantCulture,
            $"| {new Spread(heaps.Select(h => h.Allocated / requestsARound)).Median:N0} "
            + $"| {heaps.Sum(static h => h.Collections) * 1000 / requests:0.00} "
            + $"| {heaps.Sum(static h => h.Paused) * 1e6 / requests:0.00}, {(longest is 0 ? "none" : $"<= {longest * 1000:0.#} ms")} |");
    }

    private string Spread(Func<HttpCost, double> value) => new Spread(_rounds.Select(value)).Text();

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;

    private void Send(int lane, long[] times, Barrier ready)
    {
        using var connection = new WireConnection(server.Client.BaseAddress!.Port);
        connection.Send(requests[0]);
        ready.SignalAndWait();
        for (var i = 0; i < times.Length; i++)
        {
            var request = requests[((lane * 37) + i) % requests.Length];
            var began = Stopwatch.GetTimestamp();
            connection.Send(request);
            times[i] = Stopwatch.GetTimestamp() - began;
        }
    }
}
