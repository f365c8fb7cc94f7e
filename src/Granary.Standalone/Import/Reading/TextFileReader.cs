using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Granary.Client;

namespace Granary.Standalone.Import.Reading;

/// <summary>Text and Markdown: every chunk is a point with <c>source</c>, <c>chunk</c> and the text.</summary>
internal sealed class TextFileReader(ImportOptions options, ImportReport report) : RecordReader(options, report)
{
    public override async IAsyncEnumerable<ImportRecord> ReadAsync(
        InputFile file, Stream stream, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var reader = new MarkingReader(stream);
        var chunker = new SentenceChunker(reader, Options.ChunkSize, Options.ChunkOverlap);
        for (var number = 0; await chunker.ReadAsync(cancellation) is { } chunk; number++)
        {
            if (MarkingReader.IsDamaged(chunk))
            {
                Report.BadRecord(file, chunker.Line, "the text is not valid UTF-8");
                continue;
            }

            var payload = new JsonObject { ["source"] = file.Path, ["chunk"] = number, [Options.TextField] = chunk };
            yield return new ImportRecord(file, chunker.Line, NameId.Of(file.Name, number), Payload.Of(payload))
            {
                Text = Options.Embed == EmbedSide.Client ? chunk : null,
            };
        }
    }
}
