using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Unicode;
using Granary.Client;
using Granary.Index;

namespace Granary.Standalone.Import.Reading;

/// <summary>JSON lines: every object is a point, its members the payload, apart from the vector.</summary>
internal sealed class JsonLinesReader(ImportOptions options, ImportReport report) : RecordReader(options, report)
{
    /// <summary>The longest line, bytes; less than what a server takes in one request.</summary>
    private const int LongestLine = 16 << 20;

    private static readonly JsonDocumentOptions Parsing = new() { MaxDepth = 64, AllowTrailingCommas = false };

    public override async IAsyncEnumerable<ImportRecord> ReadAsync(
        InputFile file, Stream stream, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var lines = new LineReader(stream, LongestLine);
        var payload = new ArrayBufferWriter<byte>();
        while (await lines.ReadAsync(cancellation))
        {
            if (lines.TooLong)
            {
                Report.BadRecord(file, lines.Number, $"the line is longer than {LongestLine} bytes");
                continue;
            }

            if (lines.Line.Span.Trim(" \t"u8).IsEmpty)
                continue;
            if (Read(file, lines, payload) is not { } record)
                continue;
            await foreach (var part in SplitAsync(record, cancellation))
                yield return part;
        }
    }

    private ImportRecord? Read(InputFile file, LineReader lines, ArrayBufferWriter<byte> payload)
    {
        try
        {
            if (!Utf8.IsValid(lines.Line.Span))
                throw new InvalidDataException("the line is not valid UTF-8");
            using var document = JsonDocument.Parse(lines.Line, Parsing);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"a JSON object is needed, got {document.RootElement.ValueKind}");
            return Convert(file, lines.Number, document.RootElement, payload);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or GranaryException or InvalidOperationException)
        {
            // Half a surrogate pair is met only when a string is read out: an InvalidOperationException.
            Report.BadRecord(file, lines.Number, e.Message);
            return null;
        }
    }

    private ImportRecord Convert(InputFile file, long line, JsonElement element, ArrayBufferWriter<byte> payload)
    {
        payload.ResetWrittenCount();
        PointId? id = null;
        string? text = null;
        float[]? vector = null;
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            foreach (var member in element.EnumerateObject())
            {
                if (member.NameEquals(Options.VectorField) && member.Value.ValueKind == JsonValueKind.Array)
                {
                    vector = ReadVector(member.Value);
                    continue;
                }

                if (member.NameEquals(Options.IdField ?? "id"))
                    id = ReadId(member.Value);
                if (Options.Embed == EmbedSide.Client && member.NameEquals(Options.TextField)
                    && member.Value.ValueKind == JsonValueKind.String)
                    text = member.Value.GetString();
                member.WriteTo(json);
            }

            json.WriteEndObject();
        }

        if (id is null && Options.IdField is { } field)
            throw new InvalidDataException($"field `{field}` is missing");
        return new ImportRecord(file, line, id ?? NameId.Of(file.Name, line), new Payload(payload.WrittenSpan.ToArray()))
        {
            Text = text,
            Vector = vector,
        };
    }

    private PointId? ReadId(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetUInt64(out var number) => new PointId(number),
        JsonValueKind.String when value.GetString() is { Length: > 0 } text => NameId.OfText(text),
        _ when Options.IdField is null => null,
        _ => throw new InvalidDataException(
            $"field `{Options.IdField}`: {value.GetRawText()} cannot be an id (an unsigned integer or a text is needed)"),
    };

    private float[] ReadVector(JsonElement list)
    {
        var vector = new float[list.GetArrayLength()];
        var at = 0;
        foreach (var value in list.EnumerateArray())
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetSingle(out var number) || !float.IsFinite(number))
                throw new InvalidDataException($"field `{Options.VectorField}[{at}]`: a finite number is needed, got {value.GetRawText()}");
            vector[at++] = number;
        }

        return vector;
    }
}
