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

    /// <summary>Points with a vector named <c>dense</c> and, where there are texts, a payload <c>text</c>; ids are row numbers.</summary>
    public static byte[] MakeNamed(VectorSet set, IReadOnlyList<string>? texts, int from, int count)
    {
        var buffer = new ArrayBufferWriter<byte>(count * ((set.Size * 10) + 400));
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("points");
            for (var row = from; row < from + count; row++)
            {
                json.WriteStartObject();
                json.WriteNumber("id", row);
                json.WriteStartObject("vector");
                json.WriteStartArray("dense");
                foreach (var value in set[row])
                    json.WriteNumberValue(value);
                json.WriteEndArray();
                json.WriteEndObject();
                if (texts is not null)
                {
                    json.WriteStartObject("payload");
                    json.WriteString("text", texts[row]);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Bodies whose ids go on rising while the vectors repeat: the text of each vector is made once, so that a body costs a copy.
    /// </summary>
    public static Func<int, byte[]> Rising(VectorSet set, int batch)
    {
        var vectors = Enumerable.Range(0, set.Count)
            .Select(row => System.Text.Encoding.UTF8.GetBytes(JsonSerializer.Serialize(set[row].ToArray()))).ToArray();
        return number =>
        {
            var buffer = new ArrayBufferWriter<byte>(batch * (vectors[0].Length + 60));
            buffer.Write("{\"points\":["u8);
            for (var i = 0; i < batch; i++)
            {
                var id = ((long)number * batch) + i;
                buffer.Write(i == 0 ? "{\"id\":"u8 : ",{\"id\":"u8);
                System.Buffers.Text.Utf8Formatter.TryFormat(id, buffer.GetSpan(20), out var written);
                buffer.Advance(written);
                buffer.Write(",\"vector\":"u8);
                buffer.Write(vectors[id % vectors.Length]);
                buffer.Write("}"u8);
            }

            buffer.Write("]}"u8);
            return buffer.WrittenSpan.ToArray();
        };
    }

    public static ByteArrayContent Content(byte[] body) => new(body) { Headers = { ContentType = new("application/json") } };
}
