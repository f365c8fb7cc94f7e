using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.Requests;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Http.Endpoints;

/// <summary>Distances between the points of a random sample.</summary>
internal static class MatrixEndpoints
{
    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        const string Matrix = "/collections/{collection_name}/points/search/matrix";
        router.Map("POST", Matrix + "/pairs", Access.Read, "Distances between sampled points, as pairs", PairsAsync);
        router.Map("POST", Matrix + "/offsets", Access.Read, "Distances between sampled points, as a sparse matrix", OffsetsAsync);
    }

    private static async Task PairsAsync(ApiCall call) => await call.AnswerAsync(await ComputeAsync(call), static (json, rows) =>
    {
        json.Raw("{\"pairs\":["u8);
        var first = true;
        foreach (var (id, hits) in rows)
        {
            foreach (var hit in hits)
            {
                json.Raw(first ? "{\"a\":"u8
                    : ",{\"a\":"u8).Id(id).Raw(",\"b\":"u8).Id(hit.Id).Raw(",\"score\":"u8).Number(hit.Score).Raw('}');
                first = false;
            }
        }

        json.Raw("]}"u8);
    });

    private static async Task OffsetsAsync(ApiCall call) => await call.AnswerAsync(await ComputeAsync(call), static (json, rows) =>
    {
        var number = rows.Select(static (row, i) => (row.Id, i)).ToDictionary(static r => r.Id, static r => r.i);
        var cells = rows.SelectMany((row, i) => row.Hits.Select(hit => (Row: i, Column: number[hit.Id], hit.Score))).ToList();
        json.Raw("{\"offsets_row\":["u8).Raw(string.Join(',', cells.Select(static c => c.Row)));
        json.Raw("],\"offsets_col\":["u8).Raw(string.Join(',', cells.Select(static c => c.Column)));
        json.Raw("],\"scores\":"u8).Floats([.. cells.Select(static c => c.Score)]).Raw(",\"ids\":["u8);
        for (var i = 0; i < rows.Count; i++)
        {
            if (i > 0)
                json.Raw(',');
            json.Id(rows[i].Id);
        }

        json.Raw("]}"u8);
    });

    private static async Task<List<(PointId Id, IReadOnlyList<ScoredPoint> Hits)>> ComputeAsync(ApiCall call)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        var fields = new JsonFields(await call.ReadJsonAsync());
        var sample = fields.Int("sample", 2, 10_000) ?? 10;
        var limit = fields.Int("limit", 1, 10_000) ?? 3;
        var vector = fields.Text("using") ?? "";
        var filter = FilterBody.ReadOptional(fields["filter"]);
        check.QueryLimit((long)sample * limit);
        check.ReadFilter(filter);
        if (collection.Config.Schema.FindDense(vector) is null && collection.Config.Schema.FindSparse(vector) is null)
            throw Errors.VectorNotFound(vector);

        check.Take(call.State, collection.Name);
        var having = new Filter
        {
            Must = [new HasVectorCondition(vector),
            .. filter is null ? [] : (Condition[])[new FilterCondition(filter)]]
        };
        var sampled = await collection.QueryAsync(
            new QueryRequest { Query = new SampleQuery(), Filter = having, Limit = sample, Read = read }, call.Cancellation);
        if (sampled.Count < 2)
            return [];
        var ids = sampled.Select(static p => p.Id).Order().ToList();
        var among = new Filter { Must = [new HasIdCondition([.. ids])] };
        var answers = await collection.QueryBatchAsync([.. ids.Select(id => new QueryRequest
        {
            Query = new NearestQuery(new PointInput(id)),
            Using = vector,
            Filter = among,
            Params = new SearchParams { Exact = true },
            Limit = limit,
            Read = read,
        })], call.Cancellation);
        return [.. ids.Select((id, i) => (id, answers[i]))];
    }
}
