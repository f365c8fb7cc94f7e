using System.Text;

namespace Granary.Collections.Tests.Support;

/// <summary>Random changes of points, and a plain model that they are applied to.</summary>
internal sealed class RandomOperations(int seed, ulong ids = 40)
{
    private static readonly string[] Words = ["alpha", "beta", "gamma", "delta"];
    private readonly Random _random = new(seed);

    /// <summary>Payload (as n and text) and vector of every point.</summary>
    public SortedDictionary<ulong, (int? N, string? Text, float[]? Vector)> Model { get; } = [];

    /// <summary>A batch of up to <paramref name="most"/> operations, applied to the model.</summary>
    public WriteBatch Next(int most = 5)
    {
        var batch = new WriteBatch();
        for (var i = _random.Next(most) + 1; i > 0; i--)
            Add(batch);
        return batch;
    }

    /// <summary>The model as lines, ids and payload only.</summary>
    public List<string> Describe() =>
        [.. Model.Select(p => $"{p.Key} {Payload(p.Value.N, p.Value.Text)} [{(p.Value.Vector is { } v ? string.Join(",", v) : "")}]")];

    /// <summary>Points as lines like <see cref="Describe()"/>'s.</summary>
    public static List<string> Describe(IEnumerable<PointRecord> points) =>
    [
        .. points.Select(p =>
            $"{p.Id} {Encoding.UTF8.GetString(p.Payload!.Value.Span)} "
                + $"[{string.Join(",", p.Vectors!.Value.Where(v => v.Name.Length == 0).SelectMany(v => v.Values))}]"),
    ];

    private void Add(WriteBatch batch)
    {
        var id = (ulong)_random.NextInt64((long)ids);
        switch (_random.Next(10))
        {
            case < 5:
                var vector = _random.Next(8) == 0 ? null : Batches.Vector(_random);
                var (n, text) = (_random.Next(4),
                    string.Join(' ', Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Words[_random.Next(Words.Length)])));
                batch.Upsert(id, vector, Payload(n, text));
                Model[id] = (n, text, vector);
                break;
            case 5:
                batch.Delete(id);
                Model.Remove(id);
                break;
            case 6:
                var set = _random.Next(4);
                batch.SetPayload(id, $$"""{"n":{{set}}}""");
                if (Model.TryGetValue(id, out var old))
                    Model[id] = old with { N = set };
                break;
            case 7:
                batch.ClearPayload(id);
                if (Model.TryGetValue(id, out var cleared))
                    Model[id] = (null, null, cleared.Vector);
                break;
            case 8:
                var (from, to) = (_random.Next(4), _random.Next(4));
                batch.SetWhere(Batches.Has("n", from), $$"""{"n":{{to}}}""");
                foreach (var (key, point) in Model.Where(p => p.Value.N == from).ToList())
                    Model[key] = point with { N = to };
                break;
            default:
                if (_random.Next(4) != 0)
                    goto case 6;
                var doomed = _random.Next(4);
                batch.DeleteWhere(Batches.Has("n", doomed));
                foreach (var key in Model.Where(p => p.Value.N == doomed).Select(p => p.Key).ToList())
                    Model.Remove(key);
                break;
        }
    }

    private static string Payload(int? n, string? text) => (n, text) switch
    {
        (null, null) => "{}",
        ({ } number, null) => $$"""{"n":{{number}}}""",
        (null, { } words) => $$"""{"text":"{{words}}"}""",
        var (number, words) => $$"""{"n":{{number}},"text":"{{words}}"}""",
    };
}
