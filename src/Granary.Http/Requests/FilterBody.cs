using System.Text.Json;
using Granary.Index.Filters;

namespace Granary.Http.Requests;

/// <summary>Reads filters out of request bodies.</summary>
internal static class FilterBody
{
    /// <summary>A filter.</summary>
    public static Filter Read(JsonElement filter) => throw new NotSupportedException(filter.ToString());

    /// <summary>A filter, or null for none.</summary>
    public static Filter? ReadOptional(JsonElement? filter) => filter is { } value ? Read(value) : null;
}
