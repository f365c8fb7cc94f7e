using System.Diagnostics;
using System.Threading.Channels;
using Granary.Client;
using Granary.Collections.Embedding;
using Granary.Index;
using Granary.Standalone.Import.Reading;

namespace Granary.Standalone.Import;

/// <summary>
/// Files are read side by side into records; records are dealt to lanes by id, so that two with one id keep their order; a lane gathers a
/// batch, embeds it where that is done here, and upserts it. Every step hands on through a bounded channel, so memory does not grow with
/// the input.
/// </summary>
internal sealed partial class ImportPipeline(
    IGranaryClient client, ImportOptions options, TextEmbedder? embedder, ImportReport report)
{
    private readonly Channel<ImportRecord> _records = Bounded<ImportRecord>(options.BatchSize * 2);
    private long _failuresBefore;

    /// <summary>Runs to the end of all files.</summary>
    /// <exception cref="GranaryException">The database refuses everything or cannot be reached; what was written stays.</exception>
    public async Task RunAsync(IReadOnlyList<InputFile> files, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var lanes = Enumerable.Range(0, options.Parallel)
            .Select(static _ => new Lane(Bounded<List<ImportRecord>>(1), Bounded<List<ImportRecord>>(1))).ToArray();
        var opened = new TaskCompletionSource<ImportTarget>(TaskCreationOptions.RunContinuationsAsynchronously);
        List<Task> steps =
        [
            StepAsync(() => ReadAllAsync(files, stop.Token), () => _records.Writer.TryComplete(), stop),
            StepAsync(() => DealAsync(lanes, opened, stop.Token), () =>
                Array.ForEach(lanes, static lane => lane.Gathered.Writer.TryComplete()), stop),
        ];
        foreach (var lane in lanes)
        {
            steps.Add(StepAsync(() => EmbedAsync(lane, stop.Token), () => lane.Embedded.Writer.TryComplete(), stop));
            steps.Add(StepAsync(() => UpsertAllAsync(lane, opened.Task, stop.Token), static () => { }, stop));
        }

        try
        {
            await Task.WhenAll(steps);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // One step failed and stopped the others: the failure is what to tell, not the stopping.
            await (steps.FirstOrDefault(static step => step.IsFaulted) ?? Task.CompletedTask);
            throw;
        }

        if (report.Points > 0)
        {
            var started = Stopwatch.GetTimestamp();
            await client.WaitAsync(options.Collection, null, cancellation);
            report.AddTime(ImportPhase.Link, started);
            if (options.Embed == EmbedSide.Server)
                report.CountNotEmbedded(await FailuresAsync(cancellation) - _failuresBefore);
        }
    }

    private static Channel<T> Bounded<T>(int capacity) => Channel.CreateBounded<T>(new BoundedChannelOptions(capacity)
    {
        SingleReader = true,
    });

    /// <summary>Runs a step; its end ends the channels it writes, its failure stops every other step.</summary>
    private static async Task StepAsync(Func<Task> run, Action end, CancellationTokenSource stop)
    {
        try
        {
            await Task.Yield();
            await run();
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
        finally
        {
            end();
        }
    }

    private Task ReadAllAsync(IReadOnlyList<InputFile> files, CancellationToken cancellation) =>
        Parallel.ForEachAsync(files, new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Parallel,
            CancellationToken = cancellation,
        }, ReadAsync);

    private async ValueTask ReadAsync(InputFile file, CancellationToken cancellation)
    {
        try
        {
            await using var stream = file.Open(report.CountBytes);
            var started = Stopwatch.GetTimestamp();
            await foreach (var record in RecordReader.For(file.Format, options, report).ReadAsync(file, stream, cancellation))
            {
                report.CountRecord();
                report.AddTime(ImportPhase.Read, started);
                await _records.Writer.WriteAsync(record, cancellation);
                started = Stopwatch.GetTimestamp();
            }

            report.CountFile();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            report.BadFile(file.Path, e.Message);
        }
    }

    private async Task<ImportTarget> OpenAsync(ImportRecord first, CancellationToken cancellation)
    {
        var target = await ImportTarget.OpenAsync(client, options, first, embedder, cancellation);
        if (options.Embed == EmbedSide.Server)
            _failuresBefore = await FailuresAsync(cancellation);
        return target;
    }

    private async Task<long> FailuresAsync(CancellationToken cancellation) =>
        (await client.StatsAsync(options.Collection, cancellation)).EmbeddingFailures;

    private async Task DealAsync(Lane[] lanes, TaskCompletionSource<ImportTarget> opened, CancellationToken cancellation)
    {
        var gathering = new List<ImportRecord>?[lanes.Length];
        await foreach (var record in _records.Reader.ReadAllAsync(cancellation))
        {
            if (!opened.Task.IsCompleted)
                opened.SetResult(await OpenAsync(record, cancellation));
            var number = record.Id.PlacementSlot % lanes.Length;
            var batch = gathering[number] ??= new List<ImportRecord>(options.BatchSize);
            batch.Add(record);
            if (batch.Count == options.BatchSize)
            {
                await lanes[number].Gathered.Writer.WriteAsync(batch, cancellation);
                gathering[number] = null;
            }
        }

        for (var i = 0; i < lanes.Length; i++)
        {
            if (gathering[i] is { } rest)
                await lanes[i].Gathered.Writer.WriteAsync(rest, cancellation);
        }
    }

    private async Task EmbedAsync(Lane lane, CancellationToken cancellation)
    {
        await foreach (var batch in lane.Gathered.Reader.ReadAllAsync(cancellation))
        {
            if (options.Embed == EmbedSide.Client && embedder is not null)
                await EmbedAsync(batch, embedder, cancellation);
            await lane.Embedded.Writer.WriteAsync(batch, cancellation);
        }
    }

    private async Task UpsertAllAsync(Lane lane, Task<ImportTarget> opened, CancellationToken cancellation)
    {
        await foreach (var batch in lane.Embedded.Reader.ReadAllAsync(cancellation))
        {
            var started = Stopwatch.GetTimestamp();
            await UpsertAsync(batch, await opened, cancellation);
            report.AddTime(ImportPhase.Upsert, started);
        }
    }

    /// <summary>Records on their way through one worker of each kind.</summary>
    private sealed record Lane(Channel<List<ImportRecord>> Gathered, Channel<List<ImportRecord>> Embedded);
}
