using System.Collections.Immutable;
using Granary.Collections;
using Granary.Http.Json;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Http.Responses;

/// <summary>Writes points of a collection.</summary>
internal sealed class PointOut(IndexSchema schema)
{
    private string[]? _matrices;

    private string[] Matrices => _matrices ??= [.. schema.Dense.Where(static v => v.MultiVector).Select(static v => v.Name)];

    /// <summary>A list of stored points.</summary>
    public void Records(JsonOut json, IReadOnlyList<PointRecord> records)
    {
        json.Raw('[');
        for (var i = 0; i < records.Count; i++)
        {
            if (i > 0)
                json.Raw(',');
            Record(json, records[i]);
        }

        json.Raw(']');
    }

    /// <summary>A stored point.</summary>
    public void Record(JsonOut json, PointRecord record)
    {
        json.Raw("{\"id\":"u8).Id(record.Id);
        Parts(json, record.Payload, record.Vectors, record.Order);
        json.Raw('}');
    }

    /// <summary>A page of points.</summary>
    public void Page(JsonOut json, ScrollPage page)
    {
        json.Raw("{\"points\":"u8);
        Records(json, page.Points);
        json.Raw(",\"next_page_offset\":"u8);
        if (page.Next is { } next)
            json.Id(next);
        else
            json.Raw("null"u8);
        json.Raw('}');
    }

    /// <summary>The hits of a query, as <c>{"points": [...]}</c>.</summary>
    public void Points(JsonOut json, IReadOnlyList<ScoredPoint> hits)
    {
        json.Raw("{\"points\":"u8);
        Hits(json, hits);
        json.Raw('}');
    }

    /// <summary>The hits of several queries.</summary>
    public void PointLists(JsonOut json, IReadOnlyList<IReadOnlyList<ScoredPoint>> lists) => Lists(json, lists, Points);

    /// <summary>The hits of several searches.</summary>
    public void HitLists(JsonOut json, IReadOnlyList<IReadOnlyList<ScoredPoint>> lists) => Lists(json, lists, Hits);

    /// <summary>A list of hits.</summary>
    public void Hits(JsonOut json, IReadOnlyList<ScoredPoint> hits)
    {
        json.Raw('[');
        for (var i = 0; i < hits.Count; i++)
        {
            if (i > 0)
                json.Raw(',');
            Hit(json, hits[i]);
        }

        json.Raw(']');
    }

    /// <summary>The groups of a query.</summary>
    public void Groups(JsonOut json, IReadOnlyList<PointGroup> groups)
    {
        json.Raw("{\"groups\":["u8);
        for (var i = 0; i < groups.Count; i++)
        {
            if (i > 0)
                json.Raw(',');
            json.Raw("{\"hits\":"u8);
            Hits(json, groups[i].Hits);
            json.Raw(",\"id\":"u8);
            Value(json, groups[i].Value);
            if (groups[i].Lookup is { } lookup)
            {
                json.Raw(",\"lookup\":"u8);
                Record(json, lookup);
            }

            json.Raw('}');
        }

        json.Raw("]}"u8);
    }

    /// <summary>A value of a payload field.</summary>
    public static void Value(JsonOut json, MatchValue value)
    {
        switch (value.Kind)
        {
            case MatchValueKind.Keyword:
                json.String(value.Text);
                break;
            case MatchValueKind.Integer:
                json.Number(value.Integer);
                break;
            default:
                json.Boolean(value.Boolean);
                break;
        }
    }

    private void Lists(JsonOut json, IReadOnlyList<IReadOnlyList<ScoredPoint>> lists, Action<JsonOut, IReadOnlyList<ScoredPoint>> write)
    {
        json.Raw('[');
        for (var i = 0; i < lists.Count; i++)
        {
            if (i > 0)
                json.Raw(',');
            write(json, lists[i]);
        }

        json.Raw(']');
    }

    private void Hit(JsonOut json, ScoredPoint hit)
    {
        json.Raw("{\"id\":"u8).Id(hit.Id).Raw(",\"version\":"u8).Number(hit.Version).Raw(",\"score\":"u8).Number(hit.Score);
        Parts(json, hit.Payload, hit.Vectors, hit.Order);
        if (!hit.Legs.IsDefaultOrEmpty)
        {
            json.Raw(",\"legs\":["u8);
            for (var i = 0; i < hit.Legs.Length; i++)
            {
                json.Raw(i == 0 ? "{\"rank\":"u8 : ",{\"rank\":"u8);
                if (hit.Legs[i].Rank is { } rank)
                    json.Number(rank).Raw(",\"score\":"u8).Number(hit.Legs[i].Score).Raw('}');
                else
                    json.Raw("null,\"score\":null}"u8);
            }

            json.Raw(']');
        }

        json.Raw('}');
    }

    private void Parts(JsonOut json, ReadOnlyMemory<byte>? payload, ImmutableArray<NamedVector>? vectors, OrderValue? order)
    {
        if (payload is { } bytes)
        {
            json.Raw(",\"payload\":"u8);
            if (bytes.IsEmpty)
                json.Raw("{}"u8);
            else
                json.Raw(bytes.Span);
        }

        if (vectors is { } list)
        {
            json.Raw(",\"vector\":"u8);
            Vectors(json, list);
        }

        if (order is { } value)
        {
            json.Raw(",\"order_value\":"u8);
            if (value.IsInteger)
                json.Number(value.Integer);
            else
                json.Number(value.Number);
        }
    }

    private void Vectors(JsonOut json, ImmutableArray<NamedVector> vectors)
    {
        if (vectors is [{ Name: "" } only])
        {
            Vector(json, only);
            return;
        }

        json.Raw('{');
        for (var i = 0; i < vectors.Length; i++)
        {
            if (i > 0)
                json.Raw(',');
            json.String(vectors[i].Name).Raw(':');
            Vector(json, vectors[i]);
        }

        json.Raw('}');
    }

    private void Vector(JsonOut json, NamedVector vector)
    {
        if (vector.Indices is { } indices)
        {
            json.Raw("{\"indices\":["u8);
            for (var i = 0; i < indices.Length; i++)
            {
                if (i > 0)
                    json.Raw(',');
                json.Number((ulong)indices[i]);
            }

            json.Raw("],\"values\":"u8).Floats(vector.Values).Raw('}');
        }
        else if (vector.Rows > 1 || Matrices.Contains(vector.Name))
        {
            var size = vector.Values.Length / Math.Max(vector.Rows, 1);
            json.Raw('[');
            for (var row = 0; row < vector.Rows; row++)
            {
                if (row > 0)
                    json.Raw(',');
                json.Floats(vector.Values.AsSpan(row * size, size));
            }

            json.Raw(']');
        }
        else
        {
            json.Floats(vector.Values);
        }
    }
}
