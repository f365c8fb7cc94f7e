using System.Text.Encodings.Web;

namespace Granary.Http.Json;

/// <summary>JSON strings for messages.</summary>
internal static class JsonText
{
    /// <summary>A string with quotes and escapes.</summary>
    public static string Quote(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";
}
