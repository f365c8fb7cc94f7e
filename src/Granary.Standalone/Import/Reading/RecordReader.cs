using System.Runtime.CompilerServices;
using Granary.Client;

namespace Granary.Standalone.Import.Reading;

/// <summary>Turns a file into records, one at a time; what is wrong with a line is reported and the line skipped.</summary>
internal abstract class RecordReader(ImportOptions options, ImportReport report)
{
    protected ImportOptions Options { get; } = options;

    protected ImportReport Report { get; } = report;

    /// <summary>The records of a stream.</summary>
    /// <exception cref="InvalidDataException">The rest of the file cannot be read.</exception>
    public abstract IAsyncEnumerable<ImportRecord> ReadAsync(InputFile file, Stream stream, CancellationToken cancellation);

    /// <summary>
    /// A record as it is, or, where that was asked for and its text is longer than a chunk, one record a chunk: the payload with the
    /// chunk's text and number, the id made of the record's id and that number.
    /// </summary>
    protected async IAsyncEnumerable<ImportRecord> SplitAsync(
        ImportRecord record, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!Options.ChunkFields || record.Vector is not null || record.Payload.Text(Options.TextField) is not { } text
            || text.Length <= Options.ChunkSize)
        {
            yield return record;
            yield break;
        }

        using var reader = new StringReader(text);
        var chunker = new SentenceChunker(reader, Options.ChunkSize, Options.ChunkOverlap);
        for (var number = 0; await chunker.ReadAsync(cancellation) is { } chunk; number++)
        {
            var payload = record.Payload.ToJson();
            payload[Options.TextField] = chunk;
            payload["chunk"] = number;
            yield return record with
            {
                Id = NameId.Of(record.Id.ToString(), number),
                Payload = Payload.Of(payload),
                Text = record.Text is null ? null : chunk,
            };
        }
    }

    /// <summary>The reader of a format.</summary>
    public static RecordReader For(InputFormat format, ImportOptions options, ImportReport report) => format switch
    {
        InputFormat.JsonLines => new JsonLinesReader(options, report),
        InputFormat.Csv => new CsvReader(options, report),
        InputFormat.Text => new TextFileReader(options, report),
        _ => throw new InvalidDataException("the format is unknown; name it with --format"),
    };
}
