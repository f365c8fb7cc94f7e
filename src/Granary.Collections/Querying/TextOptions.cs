using System.Text.Json;
using Granary.Index;

namespace Granary.Collections.Querying;

/// <summary>The options of a text that a text field ranks by BM25.</summary>
internal static class TextOptions
{
    /// <summary>Whether <c>operator</c> is "and": a hit must hold every term. It is "or" where nothing is said.</summary>
    /// <exception cref="GranaryException">It is something else.</exception>
    public static bool EveryTerm(string? options)
    {
        if (options is null)
            return false;
        using var json = JsonDocument.Parse(options);
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("operator", out var given))
            return false;
        return (given.ValueKind == JsonValueKind.String ? given.GetString() : null) switch
        {
            "and" => true,
            "or" => false,
            _ => throw GranaryException.BadInput($"options.operator: {given.GetRawText()} is not known; there are \"and\" and \"or\""),
        };
    }
}
