using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Granary.Index.Filters;

namespace Granary.Index.Tests.Partition;

/// <summary>A point as the model has it.</summary>
internal sealed record ModelPoint(long Operation, JsonObject Payload, ImmutableSortedDictionary<string, ModelVector> Vectors);

/// <summary>A vector: dense or matrix rows, or sparse where there are indices.</summary>
internal sealed record ModelVector(float[] Values, int Rows = 1, uint[]? Indices = null, bool Computed = false);

/// <summary>What a partition should hold, computed the plain way.</summary>
internal sealed class Model
{
    public static IndexSchema Schema { get; } = new()
    {
        Dense =
        [
            new DenseVectorSchema("dot", 4, Distance.Dot),
            new DenseVectorSchema("euclid", 3, Distance.Euclid) { Hnsw = new HnswSettings { M = 4, FullScanThreshold = 5 } },
            new DenseVectorSchema("multi", 2, Distance.Dot) { MultiVector = true },
        ],
        Sparse = [new SparseVectorSchema("sparse", false)],
        Text = [new TextFieldSchema("body", "body")],
    };

    public ImmutableSortedDictionary<PointId, ModelPoint> Points { get; set; } = ImmutableSortedDictionary<PointId, ModelPoint>.Empty;

    public static bool Matches(Filter? filter, PointId id, ModelPoint point) => filter is null
        || (filter.Must.All(c => Matches(c, id, point)) && !filter.MustNot.Any(c => Matches(c, id, point))
            && (filter.Should.IsEmpty || filter.Should.Any(c => Matches(c, id, point))));

    public IEnumerable<(PointId Id, ModelPoint Point)> Matching(Filter? filter) =>
        Points.Where(p => Matches(filter, p.Key, p.Value)).Select(p => (p.Key, p.Value));

    /// <summary>Puts a point; a vector computed from its body goes when that changes.</summary>
    public void Put(PointId id, ModelPoint point)
    {
        if (Points.TryGetValue(id, out var old) && Body(old) != Body(point))
            point = point with { Vectors = point.Vectors.RemoveRange(point.Vectors.Where(v => v.Value.Computed).Select(v => v.Key)) };
        Points = Points.SetItem(id, point);
    }

    public static string? Body(ModelPoint point) => point.Payload["body"]?.GetValue<string>();

    /// <summary>The k best, ties by id.</summary>
    public List<(PointId Id, float Score)> Best(string vector, Filter? filter, int k, Func<ModelVector, float?> score, bool higher) =>
    [
        .. Matching(filter)
            .Select(p => (p.Id, Score: p.Point.Vectors.TryGetValue(vector, out var v) ? score(v) : null))
            .Where(p => p.Score is not null)
            .Select(p => (p.Id, Score: p.Score!.Value))
            .OrderBy(p => higher ? -p.Score : p.Score).ThenBy(p => p.Id)
            .Take(k),
    ];

    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0f;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    public static float Euclid(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0f;
        for (var i = 0; i < a.Length; i++)
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        return MathF.Sqrt(sum);
    }

    public static float MaxSim(float[] query, float[] matrix)
    {
        var sum = 0f;
        for (var i = 0; i < query.Length; i += 2)
        {
            var best = float.NegativeInfinity;
            for (var j = 0; j < matrix.Length; j += 2)
                best = MathF.Max(best, Dot(query.AsSpan(i, 2), matrix.AsSpan(j, 2)));
            sum += best;
        }

        return sum;
    }

    public static float? Sparse(uint[] indices, float[] values, ModelVector vector)
    {
        float? sum = null;
        for (var i = 0; i < indices.Length; i++)
        {
            var at = Array.IndexOf(vector.Indices!, indices[i]);
            if (at >= 0)
                sum = (sum ?? 0f) + (values[i] * vector.Values[at]);
        }

        return sum;
    }

    private static bool Matches(Condition condition, PointId id, ModelPoint point) => condition switch
    {
        MatchAnyCondition match => match.Values.Any(v => point.Payload[match.Key]?.GetValueKind() == System.Text.Json.JsonValueKind.String
            && point.Payload[match.Key]!.GetValue<string>() == v.Text),
        RangeCondition range => point.Payload[range.Key] is { } n && n.GetValue<int>() >= range.Gte && n.GetValue<int>() <= range.Lte,
        HasIdCondition ids => ids.Ids.Contains(id),
        HasVectorCondition vector => point.Vectors.ContainsKey(vector.Vector),
        FilterCondition nested => Matches(nested.Filter, id, point),
        _ => throw new ArgumentException($"The model knows no {condition}."),
    };
}
