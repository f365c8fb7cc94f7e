using System.Text.Json;
using System.Text.Json.Serialization;

namespace Granary.Embeddings.OpenAi;

/// <summary>The body of a request.</summary>
internal sealed record EmbeddingsRequest(
    [property: JsonPropertyName("model")] string Model,
    [property: JsonPropertyName("input")] IReadOnlyList<string> Input,
    [property: JsonPropertyName("encoding_format")] string EncodingFormat,
    [property: JsonPropertyName("dimensions"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Dimensions);

/// <summary>The body of an answer: vectors, or an error.</summary>
internal sealed record EmbeddingsResponse(
    [property: JsonPropertyName("data")] EmbeddingsItem[]? Data,
    [property: JsonPropertyName("error")] JsonElement? Error);

/// <summary>One vector of an answer.</summary>
internal sealed record EmbeddingsItem(
    [property: JsonPropertyName("index")] int Index,
    [property: JsonPropertyName("embedding")] float[]? Embedding);

/// <summary>Source-generated serialisation of the above.</summary>
[JsonSerializable(typeof(EmbeddingsRequest))]
[JsonSerializable(typeof(EmbeddingsResponse))]
internal sealed partial class OpenAiJson : JsonSerializerContext;
