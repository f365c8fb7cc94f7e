using System.Text.Json;
using Granary.Http.Hosting;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Http.Requests;

/// <summary>Reads filters out of request bodies.</summary>
internal static class FilterBody
{
    /// <summary>A filter.</summary>
    public static Filter Read(JsonElement filter)
    {
        try
        {
            return FilterJson.Parse(filter);
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.BadInput)
        {
            throw ApiException.Format(e.Message);
        }
    }

    /// <summary>A filter, or null for none.</summary>
    public static Filter? ReadOptional(JsonElement? filter) => filter is { } value ? Read(value) : null;
}
