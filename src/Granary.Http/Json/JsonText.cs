using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Granary.Http.Json;

/// <summary>JSON strings for messages, and values as nodes.</summary>
internal static class JsonText
{
    /// <summary>A string with quotes and escapes.</summary>
    public static string Quote(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";

    /// <summary>A value as a node that can be changed. Where an object names a key twice, the last one counts.</summary>
    public static JsonNode Node(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return JsonNode.Parse(value.GetRawText())!;
        var cursor = new JsonCursor(JsonMarshal.GetRawUtf8Value(value));
        cursor.ReadPayload(out var json);
        return JsonNode.Parse(Encoding.UTF8.GetString(json))!;
    }

    /// <summary>An object as a node that can be changed.</summary>
    public static JsonObject Object(JsonElement value) => Node(value).AsObject();
}
