using System.Text.Json;
using System.Text.Json.Nodes;

namespace Granary.Benchmarks;

/// <summary>A peer, or one of its settings, and the times of its queries.</summary>
/// <param name="name">As the table names it.</param>
/// <param name="process">Its driver.</param>
/// <param name="most">How many queries of each kind it is asked; slow ones fewer.</param>
/// <param name="settings">Adds its own members to a request for so many hits.</param>
internal sealed class TextPeerRun(string name, PeerProcess process, int most, Action<JsonObject, int> settings)
{
    private readonly Dictionary<(string Kind, int Round), double[]> _times = [];
    private readonly Dictionary<string, int[][]> _ids = [];

    public string Name => name;

    public int Most => most;

    /// <summary>Runs all kinds until the driver's machine knows its code.</summary>
    public async Task WarmAsync(string[] kinds, int k, int passes)
    {
        _times.Clear();
        foreach (var kind in kinds)
            await process.AskAsync(Request(kind, k, passes));
    }

    public async Task TimeAsync(string kind, int k, int passes, int round)
    {
        var request = Request(kind, k, passes);
        request["times"] = true;
        request["ids"] = round == 0;
        var answer = await process.AskAsync(request);
        _times[(kind, round)] = answer.GetProperty("times_us").Deserialize<double[]>()!;
        if (round == 0)
            _ids[kind] = answer.GetProperty("ids").Deserialize<int[][]>()!;
    }

    /// <summary>A copy of the times of some kinds, so many queries of each.</summary>
    public double[] Times(string[] kinds, int round, int count) => [.. kinds.SelectMany(kind => _times[(kind, round)].Take(count))];

    /// <summary>The share of this peer's hits that another has too.</summary>
    public double Agreement(TextPeerRun other, string[] kinds)
    {
        var pairs = kinds.SelectMany(kind => _ids[kind].Zip(other._ids[kind])).ToArray();
        return pairs.Sum(pair => pair.First.Intersect(pair.Second).Count()) / Math.Max(1.0, pairs.Sum(pair => pair.First.Length));
    }

    private JsonObject Request(string kind, int k, int passes)
    {
        var request = new JsonObject { ["op"] = "search", ["k"] = k, ["passes"] = passes, ["queries"] = most };
        if (kind.Length > 0)
            request["kind"] = kind;
        if (kind == "intersection")
            request["shape"] = "must";
        settings(request, k);
        return request;
    }
}
