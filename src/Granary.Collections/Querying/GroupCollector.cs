using System.Text.Json;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Payload;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// Sorts hits into groups by a payload value. A point with several values is in several groups; one whose value is neither string nor
/// integer is in none.
/// </summary>
internal sealed class GroupCollector(string groupBy, int limit, int groupSize)
{
    private readonly JsonPath _path = JsonPath.Parse(groupBy);
    private readonly Dictionary<MatchValue, List<LegHit>> _groups = [];
    private readonly HashSet<PointId> _seen = [];
    private RankingOrder _order;

    /// <summary>The payload key that holds the values, without a wildcard at its end.</summary>
    public string PayloadKey => groupBy.EndsWith("[]", StringComparison.Ordinal) ? groupBy[..^2] : groupBy;

    /// <summary>Points that are in a group already.</summary>
    public IReadOnlyCollection<PointId> Seen => _seen;

    public IEnumerable<MatchValue> FullGroups => _groups.Where(g => g.Value.Count >= groupSize).Select(g => g.Key);

    public IEnumerable<MatchValue> UnfilledBestGroups => BestKeys().Where(k => _groups[k].Count < groupSize);

    public int FullBestGroups => BestKeys().Count(k => _groups[k].Count >= groupSize);

    public void Add(IReadOnlyList<LegHit> hits, IReadOnlyList<PointRecord> points, RankingOrder order)
    {
        if (hits.Count > 0)
            _order = order;
        var payloads = points.ToDictionary(p => p.Id, p => p.Payload);
        foreach (var hit in hits)
        {
            if (!payloads.TryGetValue(hit.Id, out var payload) || payload is not { } json || Values(json) is not { } values)
                continue;
            foreach (var value in values)
            {
                if (!_groups.TryGetValue(value, out var group))
                    _groups[value] = group = [];
                if (group.Count < groupSize && group.TrueForAll(h => h.Id != hit.Id))
                    group.Add(hit);
                _seen.Add(hit.Id);
            }
        }
    }

    /// <summary>The best groups, best first; each with its best hits.</summary>
    public List<Group> Best() => [.. BestKeys().Select(k => new Group(k, Sorted(_groups[k])))];

    public static PointId? IdOf(MatchValue value) => value.Kind switch
    {
        MatchValueKind.Integer when value.Integer >= 0 => new PointId((ulong)value.Integer),
        MatchValueKind.Keyword when PointId.TryParseUuid(value.Text, out var id) => id,
        _ => null,
    };

    public static Filter? Except(string key, IEnumerable<MatchValue> values) =>
        Each(values, v => new MatchExceptCondition(key, [.. v])) is { Length: > 0 } all ? new Filter { Must = [.. all] } : null;

    public static Filter? Any(string key, IEnumerable<MatchValue> values) =>
        Each(values, v => new MatchAnyCondition(key, [.. v])) is { Length: > 0 } any ? new Filter { Should = [.. any] } : null;

    private static Condition[] Each(IEnumerable<MatchValue> values, Func<IEnumerable<MatchValue>, Condition> condition) =>
        [.. values.GroupBy(v => v.Kind).Select(condition)];

    private IEnumerable<MatchValue> BestKeys()
    {
        // Without an order to go by (a sample, diverse picks) groups stay in the order they were met.
        if (_order == RankingOrder.None)
            return _groups.Keys.Take(limit);
        var compare = Comparer<LegHit>.Create(Ranking.Comparer(_order));
        return _groups.OrderBy(g => Sorted(g.Value)[0], compare).Select(g => g.Key).Take(limit);
    }

    private List<LegHit> Sorted(List<LegHit> hits)
    {
        if (_order == RankingOrder.None)
            return hits;
        var sorted = new List<LegHit>(hits);
        sorted.Sort(Ranking.Comparer(_order));
        return sorted;
    }

    private List<MatchValue>? Values(ReadOnlyMemory<byte> payload)
    {
        using var document = JsonDocument.Parse(payload);
        var values = new List<MatchValue>();
        foreach (var value in PayloadValues.At(document.RootElement, _path).SelectMany(PayloadValues.Flat))
        {
            MatchValue key;
            if (value.ValueKind == JsonValueKind.String)
                key = MatchValue.Of(value.GetString()!);
            else if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var integer))
                key = MatchValue.Of(integer);
            else
                return null;
            if (!values.Contains(key))
                values.Add(key);
        }

        return values;
    }

    public readonly record struct Group(MatchValue Value, List<LegHit> Hits);
}
