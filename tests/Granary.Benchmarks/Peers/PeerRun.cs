using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>A peer with one set loaded and built: its efforts, in order of recall.</summary>
internal sealed class PeerRun(PeerProcess process)
{
    private const int K = 10;
    private const double Enough = 0.25;
    private static readonly int[] Ladder = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
    private List<Effort> _efforts = [];
    private JsonObject[] _sweep = [];
    private readonly List<(double Seconds, double Cpu)> _builds = [];
    private int _queries;

    public PeerProcess Process => process;

    public string Name => process.Name;

    /// <summary>Seconds and processor seconds of each build.</summary>
    public IReadOnlyList<(double Seconds, double Cpu)> Builds => _builds;

    public double Bytes { get; private set; }

    public double DiskBytes { get; private set; }

    public IReadOnlyList<Effort> Efforts => _efforts;

    public async Task LoadAsync(PeerSettings settings, string set, bool texts) =>
        await process.AskAsync(new JsonObject
        {
            ["op"] = "load",
            ["data"] = settings.Data,
            ["set"] = set,
            ["queries"] = settings.Queries,
            ["texts"] = texts,
            ["metric"] = PeerSettings.DistanceOf(set) == Distance.Euclid ? "euclid" : "cosine",
        });

    /// <summary>Builds the index of what was loaded, in place of the one before.</summary>
    public async Task BuildAsync(PeerSettings settings)
    {
        var built = await process.AskAsync(new JsonObject
        {
            ["op"] = "build",
            ["m"] = settings.M,
            ["ef_construct"] = settings.EfConstruct,
            ["threads"] = settings.BuildThreads,
            ["batch"] = settings.Batch,
        });
        _builds.Add((built.GetProperty("seconds").GetDouble(), Number(built, "cpu_seconds")));
        if (_builds.Count == 1)
        {
            // What was there before may take memory and disk for a while longer.
            Bytes = Number(built, "bytes");
            DiskBytes = Number(built, "disk");
        }

        _efforts = [];
        _sweep = built.TryGetProperty("sweep", out var sweep)
            ? [.. sweep.EnumerateArray().Select(step => JsonNode.Parse(step.GetRawText())!.AsObject())]
            : [.. Ladder.Select(ef => new JsonObject { ["ef"] = ef })];
    }

    /// <summary>Counts the recall of one more step of the sweep; false when there is none that would tell more.</summary>
    public async Task<bool> SweepAsync(PeerTruth truth, double best)
    {
        var step = _efforts.Count;
        if (step == _sweep.Length || (step > 0 && _efforts[^1].Recall >= best)
            || (step > 3 && _efforts[^1].Recall - _efforts[^3].Recall < 0.0005))
            return false;
        _efforts.Add(await CountAsync(_sweep[step], truth));
        return true;
    }

    /// <summary>Steps between the neighbours of a recall, where the effort is one number.</summary>
    public async Task NarrowAsync(PeerTruth truth, double recall)
    {
        _efforts = [.. _efforts.OrderBy(effort => effort.Recall)];
        for (var tries = 0; tries < 3; tries++)
        {
            if (Around(recall) is not { Low: { Ef: { } low } a, High: { Ef: { } high } b } || high - low < Math.Max(2, low / 10)
                || a == b)
                return;
            var share = (recall - a.Recall) / (b.Recall - a.Recall);
            var middle = (int)Math.Round(low * Math.Pow((double)high / low, Math.Clamp(share, 0.1, 0.9)));
            if (middle <= low || middle >= high)
                return;
            var found = await CountAsync(new JsonObject { ["ef"] = middle }, truth);
            _efforts = [.. _efforts.Append(found).OrderBy(effort => effort.Recall)];
        }
    }

    /// <summary>The efforts next below and next above a recall; null where it is not reached.</summary>
    public (Effort Low, Effort High)? Around(double recall)
    {
        // Where a peer has several parameters, an effort that another beats in both recall and rate tells nothing of the peer.
        var front = _efforts.All(effort => effort.Ef is not null) ? _efforts
            : [.. _efforts.Where(a => !_efforts.Any(b => b.Recall > a.Recall && b.FirstRate > a.FirstRate))];
        var high = front.Where(effort => effort.Recall >= recall).MinBy(effort => effort.Ef ?? effort.Recall);
        if (high is null)
            return null;
        var low = front.LastOrDefault(effort => effort.Recall < recall);
        return (low ?? high, high);
    }

    /// <summary>Times the efforts around a recall in one round.</summary>
    public async Task TimeAsync(double recall, bool low, int threads, int round)
    {
        if (Around(recall) is not { } pair || (low ? pair.Low : pair.High) is not { } effort || effort.Has(threads, round))
            return;
        var request = Request(effort.Settings, threads);
        request["passes"] = (int)Math.Clamp(Math.Ceiling(Enough * effort.FirstRate / _queries), 1, 100);
        effort.Set(threads, round, Timing(await process.AskAsync(request)));
    }

    /// <summary>Runs all queries as a kind of search (<c>dense</c>, <c>text</c>, <c>hybrid</c>) at the effort that reaches a recall.
    /// </summary>
    public async Task<(PeerTiming Timing, JsonElement? Ids)> SearchAsync(string what, double recall, bool ids)
    {
        var request = Request((Around(recall)?.High ?? _efforts[^1]).Settings, 1);
        request["what"] = what;
        request["ids"] = ids;
        var answer = await process.AskAsync(request);
        return (Timing(answer), ids ? answer.GetProperty("ids") : null);
    }

    /// <summary>What the peer does at exactly that recall in a round.</summary>
    public PeerTiming? At(double recall, int threads, int round)
    {
        if (Around(recall) is not var (low, high))
            return null;
        var below = low.Get(threads, round);
        return low == high ? below
            : below.Toward(high.Get(threads, round), (recall - low.Recall) / (high.Recall - low.Recall));
    }

    private static JsonObject Request(JsonObject settings, int threads)
    {
        var request = settings.DeepClone().AsObject();
        request["op"] = "search";
        request["k"] = K;
        request["threads"] = threads;
        return request;
    }

    private static PeerTiming Timing(JsonElement answer)
    {
        var queries = answer.GetProperty("queries").GetDouble();
        return new PeerTiming(queries / answer.GetProperty("seconds").GetDouble(), queries / Number(answer, "cpu_seconds"),
            Number(answer, "p50_us"), Number(answer, "p99_us"), Number(answer, "client_cpu_us"));
    }

    private static double Number(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) ? value.GetDouble() : 0;

    private async Task<Effort> CountAsync(JsonObject settings, PeerTruth truth)
    {
        var request = Request(settings, 1);
        request["ids"] = true;
        var answer = await process.AskAsync(request);
        _queries = truth.Queries;
        return new Effort(settings, truth.Recall(answer.GetProperty("ids"), K), Timing(answer).Rate);
    }
}
