using System.Runtime.InteropServices;
using System.Text.Json;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;

namespace Granary.Http.Requests;

/// <summary>
/// Reads the bodies of updates other than those that carry points. Each method returns the filter it targets, if it does.
/// </summary>
internal static class UpdateBodies
{
    /// <summary><c>{"points": [...]}</c> or <c>{"filter": {...}}</c>, for deletes and clears.</summary>
    public static Filter? Selected(JsonElement body, OperationKind kind, OperationWriter operations)
    {
        var fields = new JsonFields(body);
        if (fields["points"] is null && fields["filter"] is null)
            throw ApiException.Format("data did not match any variant of untagged enum PointsSelector");
        return Target(fields, kind, operations, default, default);
    }

    /// <summary><c>{"payload", "points" or "filter", "key"}</c>.</summary>
    public static Filter? Payload(JsonElement body, OperationKind kind, OperationWriter operations)
    {
        var fields = new JsonFields(body);
        if (fields.Required("payload").ValueKind != JsonValueKind.Object)
            throw JsonFields.Wrong("payload", fields.Required("payload"), "a map");
        if (fields.Text("key") is { } path)
            FieldPaths.Check(path, "key");
        RequireTarget(fields);
        var cursor = new JsonCursor(JsonMarshal.GetRawUtf8Value(fields.Required("payload")));
        cursor.ReadPayload(out var payload);
        return Target(fields, kind, operations, payload, System.Text.Encoding.UTF8.GetBytes(fields.Text("key") ?? ""));
    }

    /// <summary><c>{"keys": [...], "points" or "filter"}</c>.</summary>
    public static Filter? DeletePayload(JsonElement body, OperationWriter operations)
    {
        var fields = new JsonFields(body);
        fields.Required("keys");
        foreach (var key in fields.Items("keys"))
            FieldPaths.Check(key.ValueKind == JsonValueKind.String ? JsonFields.Read(key)
                : throw JsonFields.Wrong("keys", key, "a string"), "keys");
        RequireTarget(fields);
        return Target(fields, OperationKind.DeletePayload, operations, default, JsonMarshal.GetRawUtf8Value(fields.Required("keys")));
    }

    /// <summary><c>{"vector": [...], "points" or "filter"}</c>.</summary>
    public static Filter? DeleteVectors(JsonElement body, IndexSchema schema, OperationWriter operations)
    {
        var fields = new JsonFields(body);
        var key = fields["vector"] is not null || fields["vectors"] is null ? "vector" : "vectors";
        fields.Required(key);
        var names = fields.Items(key);
        if (names.Count == 0)
            throw ApiException.Invalid("vector", "must specify vector names to delete");
        foreach (var item in names)
        {
            var name = item.ValueKind == JsonValueKind.String ? JsonFields.Read(item) : throw JsonFields.Wrong(key, item, "a string");
            if (schema.FindDense(name) is null && schema.FindSparse(name) is null)
                throw Collections.Errors.VectorNotFound(name);
        }

        RequireTarget(fields);
        return Target(fields, OperationKind.DeleteVectors, operations, default,
            JsonMarshal.GetRawUtf8Value(fields["vector"] ?? fields.Required("vectors")));
    }

    /// <summary>Point ids of a list.</summary>
    public static List<PointId> Ids(JsonElement list, string path)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw JsonFields.Wrong(path, list, "a sequence of point ids");
        var cursor = new JsonCursor(JsonMarshal.GetRawUtf8Value(list));
        var ids = new List<PointId>();
        var first = true;
        cursor.BeginArray("a sequence of point ids");
        while (cursor.NextItem(ref first))
            ids.Add(cursor.ReadId());
        return ids;
    }

    private static void RequireTarget(JsonFields fields)
    {
        if (fields["points"] is null && fields["filter"] is null)
            throw ApiException.Format("Either list of point ids or filter must be provided");
    }

    private static Filter? Target(
        JsonFields fields, OperationKind kind, OperationWriter operations, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> key)
    {
        if (fields["points"] is { } points)
        {
            var ids = Ids(points, "points");
            // Every point gets a copy: a small body must not become gigabytes.
            operations.Reserve((long)ids.Count * (payload.Length + key.Length));
            foreach (var id in ids)
            {
                operations.Begin(kind, id);
                operations.Payload(payload);
                operations.Key(key);
                operations.End();
            }

            return null;
        }

        var json = fields.Required("filter");
        var filter = FilterBody.Read(json);
        operations.Begin(kind, default, OperationFlags.ByFilter);
        operations.Filter(JsonMarshal.GetRawUtf8Value(json));
        operations.Payload(payload);
        operations.Key(key);
        operations.End();
        return filter;
    }
}
