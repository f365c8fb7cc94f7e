namespace Granary.Standalone.Import.Reading;

/// <summary>Turns a file into records, one at a time; what is wrong with a line is reported and the line skipped.</summary>
internal abstract class RecordReader(ImportOptions options, ImportReport report)
{
    protected ImportOptions Options { get; } = options;

    protected ImportReport Report { get; } = report;

    /// <summary>The records of a stream.</summary>
    /// <exception cref="InvalidDataException">The rest of the file cannot be read.</exception>
    public abstract IAsyncEnumerable<ImportRecord> ReadAsync(InputFile file, Stream stream, CancellationToken cancellation);

    /// <summary>The reader of a format.</summary>
    public static RecordReader For(InputFormat format, ImportOptions options, ImportReport report) => format switch
    {
        InputFormat.JsonLines => new JsonLinesReader(options, report),
        InputFormat.Csv => new CsvReader(options, report),
        InputFormat.Text => new TextFileReader(options, report),
        _ => throw new InvalidDataException("the format is unknown; name it with --format"),
    };
}
