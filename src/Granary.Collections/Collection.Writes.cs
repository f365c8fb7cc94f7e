using System.Diagnostics;
using System.Runtime.InteropServices;
using Granary.Collections.Diagnostics;
using Granary.Collections.Partitions;
using Granary.Collections.Writing;
using Granary.Index;

namespace Granary.Collections;

internal sealed partial class Collection
{
    /// <inheritdoc/>
    public async ValueTask<UpdateResult> WriteAsync(WriteBatch batch, WriteOptions options, CancellationToken cancellation = default)
    {
        var count = batch.Operations.Count;
        if (count == 0)
            return new UpdateResult(null, options.Wait ? UpdateStatus.Completed : UpdateStatus.Acknowledged);
        using var activity = Telemetry.Activities.StartActivity("granary.write");
        activity?.SetTag("granary.collection", Name).SetTag("granary.operations", count);
        var started = Stopwatch.GetTimestamp();
        if (batch.ParseTime > TimeSpan.Zero)
            _timings.Parse.Record(batch.ParseTime, count);
        try
        {
            return await LogAsync(batch, count, options, cancellation).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            activity.Fail(e);
            throw;
        }
        finally
        {
            Telemetry.Writes.Record(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
    }

    private async ValueTask<UpdateResult> LogAsync(
        WriteBatch batch, int count, WriteOptions options, CancellationToken cancellation)
    {
        var version = _version;
        // From here on the bytes are the engine's: they go into the log as they are.
        var operations = batch.Operations.Detach();
        try
        {
            version.Validator.Validate(MemoryMarshal.AsMemory(operations));
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.BadInput && _look is not null)
        {
            // It may be right by settings that this process has not heard of yet.
            await RefreshAsync(cancellation).ConfigureAwait(false);
            if (ReferenceEquals(version, _version))
                throw;
            version = _version;
            version.Validator.Validate(MemoryMarshal.AsMemory(operations));
        }

        var ingestion = version.Config.Ingestion;
        if (_partitions.Length == 1)
        {
            var last = await _partitions[0].WriteAsync(operations, count, ingestion.AdmissionTimeout, cancellation).ConfigureAwait(false);
            return await AnswerAsync([new Appended(_partitions[0], last - count + 1, last)], ingestion, options, cancellation)
                .ConfigureAwait(false);
        }

        var parts = BatchSplitter.Split(operations, count, _placement);
        if (parts.Count == 1)
        {
            var partition = _partitions[parts[0].Partition];
            var last = await partition.WriteAsync(parts[0].Operations, count, ingestion.AdmissionTimeout, cancellation)
                .ConfigureAwait(false);
            return await AnswerAsync([new Appended(partition, last - count + 1, last)], ingestion, options, cancellation)
                .ConfigureAwait(false);
        }

        return await AppendAsync(parts, ingestion, options, cancellation).ConfigureAwait(false);
    }

    private async ValueTask<UpdateResult> AppendAsync(
        IReadOnlyList<BatchPart> parts, IngestionSettings ingestion, WriteOptions options, CancellationToken cancellation)
    {
        var reserved = new Reservation[parts.Count];
        var admitted = 0;
        try
        {
            // One after the other, in the order of their numbers: two batches never hold what the other waits for.
            for (; admitted < parts.Count; admitted++)
                reserved[admitted] = await _partitions[parts[admitted].Partition]
                    .ReserveAsync(parts[admitted].Count, ingestion.AdmissionTimeout, cancellation).ConfigureAwait(false);
        }
        catch
        {
            // Refused whole: the room in the partitions that had some is given back.
            for (var i = 0; i < admitted; i++)
                await _partitions[parts[i].Partition].ReleaseAsync(reserved[i]).ConfigureAwait(false);
            throw;
        }

        var appends = new Task<long>[parts.Count];
        for (var i = 0; i < appends.Length; i++)
            appends[i] = _partitions[parts[i].Partition].WriteReservedAsync(reserved[i], parts[i].Operations).AsTask();
        var lasts = await Task.WhenAll(appends).ConfigureAwait(false);
        return await AnswerAsync(
            [.. parts.Select((p, i) => new Appended(_partitions[p.Partition], lasts[i] - p.Count + 1, lasts[i]))], ingestion, options,
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Waits for as much as the caller or the collection wants, and answers.</summary>
    private async ValueTask<UpdateResult> AnswerAsync(
        Appended[] appended, IngestionSettings ingestion, WriteOptions options, CancellationToken cancellation)
    {
        var operation = appended.Max(a => a.Last);
        var started = _options.Time.GetTimestamp();
        if (ingestion.Mode == IndexingMode.Synchronous
            && !(await WaitAsync(appended, WaitTarget.Linked, Left(), cancellation).ConfigureAwait(false)).Reached)
        {
            return new UpdateResult(operation, UpdateStatus.WaitTimeout);
        }

        if (!options.Wait)
            return new UpdateResult(operation, UpdateStatus.Acknowledged);
        var waited = await WaitAsync(appended, WaitTarget.Embedded, Left(), cancellation).ConfigureAwait(false);
        if (!waited.Reached)
            return new UpdateResult(operation, UpdateStatus.WaitTimeout);
        if (waited.Failure is { } failed)
        {
            throw GranaryException.BadInput(
                $"An operation could not be applied{(failed.Point is { } id ? $" (point {id})" : "")}: {failed.Reason}");
        }

        return new UpdateResult(operation, UpdateStatus.Completed);

        TimeSpan? Left()
        {
            if (options.Timeout is not { } limit)
                return null;
            var left = limit - _options.Time.GetElapsedTime(started);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Waits for all parts at once; the failure is the first part's that has one.</summary>
    private static async ValueTask<WaitResult> WaitAsync(
        Appended[] appended, WaitTarget target, TimeSpan? limit, CancellationToken cancellation)
    {
        if (appended.Length == 1)
        {
            return await appended[0].Partition.WaitAsync(target, appended[0].First, appended[0].Last, limit, cancellation)
                .ConfigureAwait(false);
        }

        var waits = await Task.WhenAll(
            appended.Select(a => a.Partition.WaitAsync(target, a.First, a.Last, limit, cancellation).AsTask())).ConfigureAwait(false);
        return new WaitResult(waits.All(w => w.Reached), waits.Select(w => w.Failure).FirstOrDefault(f => f is not null));
    }

    /// <summary>A part of a batch, logged.</summary>
    private readonly record struct Appended(IPartition Partition, long First, long Last);
}
