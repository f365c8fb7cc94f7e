using System.Buffers;
using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>Bodies of upsert requests, made before the clock starts.</summary>
internal static class PointBodies
{
    /// <summary>
    /// Rows <paramref name="from"/> to <paramref name="from"/> + <paramref name="count"/> - 1 (modulo the set), with ids from
    /// <paramref name="firstId"/>.
    /// </summary>
    public static byte[] Make(VectorSet set, int from, int count, ulong firstId)
    {
        var buffer = new ArrayBufferWriter<byte>(count * ((set.Size * 10) + 40));
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("points");
            for (var i = 0; i < count; i++)
            {
                json.WriteStartObject();
                json.WriteNumber("id", firstId + (ulong)i);
                json.WriteStartArray("vector");
                foreach (var value in set[(from + i) % set.Count])
                    json.WriteNumberValue(value);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static ByteArrayContent Content(byte[] body) => new(body) { Headers = { ContentType = new("application/json") } };
}
