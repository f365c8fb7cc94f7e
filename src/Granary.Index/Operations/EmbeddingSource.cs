using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Granary.Index.Payload;

namespace Granary.Index.Operations;

/// <summary>
/// What a computed vector was computed from. An <see cref="OperationKind.ApplyEmbedding"/> carries one for each of its vectors in its
/// key, so that whether it still applies follows from the log alone.
/// </summary>
/// <param name="Path">The payload path of the text.</param>
/// <param name="Digest">See <see cref="DigestOf"/>.</param>
public readonly record struct EmbeddingSource(string Path, string Digest)
{
    /// <summary>A path may have so many characters.</summary>
    public const int MaxPathLength = 4096;

    private const int DigestBytes = 16;

    /// <summary>Which text it was: the first 16 bytes of the SHA-256 of its UTF-8, in hexadecimal.</summary>
    public static string DigestOf(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return Convert.ToHexStringLower(hash[..DigestBytes]);
    }

    /// <summary>Whether the text of a payload is the one the vector was computed from.</summary>
    internal bool IsOf(ReadOnlySpan<byte> payload, JsonPath path) =>
        PayloadTexts.ToEmbed(payload, path) is { } text && DigestOf(text) == Digest;

    /// <summary>The key of an operation: path and digest of each vector, in the vectors' order, as one JSON array of strings.</summary>
    public static byte[] Write(IEnumerable<EmbeddingSource> sources)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartArray();
            foreach (var source in sources)
            {
                json.WriteStringValue(source.Path);
                json.WriteStringValue(source.Digest);
            }

            json.WriteEndArray();
        }

        return stream.ToArray();
    }
}
