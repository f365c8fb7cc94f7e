using System.Globalization;
using System.Text.Json;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index.Search;

namespace Granary.Http.Requests;

/// <summary>Reads <c>order_by</c>: a path, or <c>{"key", "direction", "start_from"}</c>.</summary>
internal static class OrderByBody
{
    /// <summary>An order.</summary>
    public static OrderByQuery Read(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            var path = JsonFields.Read(value);
            FieldPaths.Check(path, "order_by");
            return new OrderByQuery(path, false, null);
        }

        var fields = new JsonFields(value, "order_by");
        var key = fields.RequiredText("key");
        FieldPaths.Check(key, "order_by");
        return new OrderByQuery(key, fields.Word("direction", "asc", "desc") == "desc",
            fields["start_from"] is { } start ? ReadStart(start) : null);
    }

    private static OrderValue ReadStart(JsonElement start)
    {
        switch (start.ValueKind)
        {
            case JsonValueKind.Number when start.TryGetInt64(out var integer):
                return new OrderValue(integer, integer, true);
            case JsonValueKind.Number:
                return new OrderValue(start.GetDouble(), 0, false);
            case JsonValueKind.String when DateTimeOffset.TryParse(
                start.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                    out var instant):
                var microseconds = (instant - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
                return new OrderValue(microseconds, microseconds, true);
            default:
                throw ApiException.Format("order_by.start_from: data did not match any variant of untagged enum StartFrom");
        }
    }
}
