using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Granary.Client;
using Granary.Index;

namespace Granary.Standalone.Import.Reading;

/// <summary>
/// CSV after RFC 4180 with a header: every row is a point, its columns the payload. A column that reads as a number or as true or false
/// becomes one; an empty one is left out; the vector column holds a JSON list.
/// </summary>
internal sealed class CsvReader(ImportOptions options, ImportReport report) : RecordReader(options, report)
{
    public override async IAsyncEnumerable<ImportRecord> ReadAsync(
        InputFile file, Stream stream, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var reader = new MarkingReader(stream);
        var rows = new CsvRows(reader);
        if (!await rows.ReadAsync(cancellation))
            yield break;
        var header = rows.Fields.ToArray();
        if (rows.Problem is { } problem || header.Distinct().Count() != header.Length || header.Contains(""))
            throw new InvalidDataException($"the header must name every column once: {rows.Problem ?? string.Join(',', header)}");

        var payload = new ArrayBufferWriter<byte>();
        while (await rows.ReadAsync(cancellation))
        {
            if (rows.Fields is [""])
                continue;
            if (Read(file, rows, header, payload) is not { } record)
                continue;
            await foreach (var part in SplitAsync(record, cancellation))
                yield return part;
        }
    }

    private ImportRecord? Read(InputFile file, CsvRows rows, string[] header, ArrayBufferWriter<byte> payload)
    {
        try
        {
            if (rows.Problem is { } problem)
                throw new InvalidDataException(problem);
            if (rows.Fields.Count != header.Length)
                throw new InvalidDataException($"the row has {rows.Fields.Count} columns, the header {header.Length}");
            return Convert(file, rows, header, payload);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or GranaryException)
        {
            Report.BadRecord(file, rows.Line, e.Message);
            return null;
        }
    }

    private ImportRecord Convert(InputFile file, CsvRows rows, string[] header, ArrayBufferWriter<byte> payload)
    {
        payload.ResetWrittenCount();
        PointId? id = null;
        string? text = null;
        float[]? vector = null;
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            for (var i = 0; i < header.Length; i++)
            {
                var value = rows.Fields[i];
                if (value.Length == 0)
                    continue;
                if (header[i] == Options.VectorField && value[0] == '[')
                {
                    vector = JsonSerializer.Deserialize(value, ImportJson.Default.SingleArray);
                    continue;
                }

                if (header[i] == (Options.IdField ?? "id"))
                    id = NameId.OfText(value);
                if (header[i] == Options.TextField)
                {
                    text = value;
                    json.WriteString(header[i], value);
                    continue;
                }

                json.WritePropertyName(header[i]);
                WriteValue(json, value);
            }

            json.WriteEndObject();
        }

        if (id is null && Options.IdField is { } field)
            throw new InvalidDataException($"column `{field}` is missing or empty");
        return new ImportRecord(file, rows.Line, id ?? NameId.Of(file.Name, rows.Line), new Payload(payload.WrittenSpan.ToArray()))
        {
            Text = Options.Embed == EmbedSide.Client ? text : null,
            Vector = vector,
        };
    }

    private static void WriteValue(Utf8JsonWriter json, string value)
    {
        // A number only where writing it again gives the same text: 007 and +1 stay texts.
        if (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
            && integer.ToString(CultureInfo.InvariantCulture) == value)
            json.WriteNumberValue(integer);
        else if (value is "true" or "false")
            json.WriteBooleanValue(value == "true");
        else if (value.Length < 25 && (char.IsAsciiDigit(value[^1]) && (char.IsAsciiDigit(value[0]) || value[0] == '-'))
            && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            && number.ToString("R", CultureInfo.InvariantCulture) == value)
            json.WriteNumberValue(number);
        else
            json.WriteStringValue(value);
    }
}
