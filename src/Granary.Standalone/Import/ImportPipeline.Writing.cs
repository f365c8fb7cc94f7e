using System.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Index;

namespace Granary.Standalone.Import;

internal sealed partial class ImportPipeline
{
    private const int Tries = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Embeds a batch. A text that cannot be embedded is reported and its point goes on without a vector, as it does in a server.
    /// </summary>
    private async Task EmbedAsync(List<ImportRecord> batch, TextEmbedder embedder, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var waiting = batch.Where(static record => record is { Vector: null, Text: not null }).ToList();
        var embedded = await embedder.EmbedEachAsync(null, waiting.ConvertAll(static record => record.Text!), null, cancellation);
        for (var i = 0; i < waiting.Count; i++)
        {
            // What would fail for any text fails for the rest of the input, too.
            if (embedded[i].Error is { Kind: ErrorKind.Unavailable } broken)
                throw broken;
            if (embedded[i].Error is { } error)
                report.NotEmbedded(waiting[i].File, waiting[i].Line, error.Message);
            else if (embedded[i].Vector is null)
                report.CountWithoutVector();
            waiting[i].Vector = embedded[i].Vector;
        }

        report.AddTime(ImportPhase.Embed, started);
    }

    /// <summary>Writes a batch: three tries whole, then point by point, so that only the bad points are left out.</summary>
    private async Task UpsertAsync(List<ImportRecord> batch, ImportTarget target, CancellationToken cancellation)
    {
        for (var attempt = 1; attempt <= Tries; attempt++)
        {
            try
            {
                await client.UpsertAsync(options.Collection, batch.ConvertAll(target.ToPoint), false, cancellation);
                report.CountPoints(batch.Count);
                return;
            }
            catch (GranaryException e) when (!IsHopeless(e))
            {
                if (IsTransient(e) && attempt < Tries)
                    await Task.Delay(e.RetryAfter ?? FirstPause * attempt, cancellation);
            }
        }

        await UpsertEachAsync(batch, target, cancellation);
    }

    private async Task UpsertEachAsync(List<ImportRecord> batch, ImportTarget target, CancellationToken cancellation)
    {
        var transient = 0;
        foreach (var record in batch)
        {
            try
            {
                await client.UpsertAsync(options.Collection, [target.ToPoint(record)], false, cancellation);
                report.CountPoints(1);
            }
            catch (GranaryException e) when (!IsHopeless(e))
            {
                report.BadRecord(record.File, record.Line, e.Message);
                // Three in a row that are no fault of the points: the rest of the input would fare no better.
                transient = IsTransient(e) ? transient + 1 : 0;
                if (transient == Tries)
                    throw;
            }
        }
    }

    private static bool IsTransient(GranaryException e) =>
        e.Kind is ErrorKind.Unavailable or ErrorKind.Timeout or ErrorKind.TooManyRequests or ErrorKind.InsufficientStorage;

    private static bool IsHopeless(GranaryException e) => e.Kind is ErrorKind.Forbidden or ErrorKind.NotFound;
}
