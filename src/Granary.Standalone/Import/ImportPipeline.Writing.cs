using System.Diagnostics;
using Granary.Embeddings;
using Granary.Index;
using Microsoft.Extensions.AI;

namespace Granary.Standalone.Import;

internal sealed partial class ImportPipeline
{
    private const int Tries = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    private async Task EmbedAsync(
        List<ImportRecord> batch, IEmbeddingGenerator<string, Embedding<float>> embedder, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var waiting = batch.Where(static record => record is { Vector: null, Text: not null }).ToList();
        for (var attempt = 1; waiting.Count > 0; attempt++)
        {
            try
            {
                var vectors = await embedder.GenerateAsync(waiting.Select(static record => record.Text!), null, cancellation);
                for (var i = 0; i < waiting.Count; i++)
                {
                    waiting[i].Vector = vectors[i].Vector.IsEmpty ? null : vectors[i].Vector.ToArray();
                    if (waiting[i].Vector is null)
                        report.CountWithoutVector();
                }

                break;
            }
            catch (Exception e) when (e is EmbeddingEndpointException or TimeoutException)
            {
                if (attempt == Tries)
                    throw new GranaryException(ErrorKind.Unavailable, $"embedding failed {Tries} times: {e.Message}", e);
                await Task.Delay(FirstPause * attempt, cancellation);
            }
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

    /// <summary>How long the embedder's vectors are: as it says, else as one turns out.</summary>
    private async Task<int> EmbedderSizeAsync(CancellationToken cancellation)
    {
        if (generator is null)
            return GloveEmbeddingGenerator.Dimensions;
        if ((generator.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata)?.DefaultModelDimensions is { } size)
            return size;
        try
        {
            return (await generator.GenerateAsync(["dimensions"], null, cancellation))[0].Vector.Length;
        }
        catch (Exception e) when (e is EmbeddingEndpointException or TimeoutException)
        {
            throw new GranaryException(ErrorKind.Unavailable, $"embedding failed: {e.Message}", e);
        }
    }
}
