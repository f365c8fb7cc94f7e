using System.Runtime.InteropServices;
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
        if (batch.ParseTime > TimeSpan.Zero)
            _timings.Parse.Record(batch.ParseTime, count);
        var version = _version;
        // From here on the bytes are the engine's: they go into the log as they are.
        var operations = batch.Operations.Detach();
        version.Validator.Validate(MemoryMarshal.AsMemory(operations));
        if (_partitions.Length == 1)
        {
            await AdmitAsync(_partitions[0], count, version.Config.Ingestion, cancellation).ConfigureAwait(false);
            var last = await _partitions[0].AppendAdmittedAsync(operations, count).ConfigureAwait(false);
            return await AnswerAsync([(_partitions[0], last - count + 1, last)], version.Config.Ingestion, options, cancellation)
                .ConfigureAwait(false);
        }

        var parts = BatchSplitter.Split(operations, count, _placement);
        return await AppendAsync(parts, version.Config.Ingestion, options, cancellation).ConfigureAwait(false);
    }

    private static ValueTask AdmitAsync(LocalPartition partition, int count, IngestionSettings ingestion, CancellationToken cancellation)
    {
        partition.Indexer.ThrowIfStopped();
        return partition.Gate.EnterAsync(count, ingestion.AdmissionTimeout, cancellation);
    }

    private async ValueTask<UpdateResult> AppendAsync(
        IReadOnlyList<BatchPart> parts, IngestionSettings ingestion, WriteOptions options, CancellationToken cancellation)
    {
        var admitted = 0;
        try
        {
            for (; admitted < parts.Count; admitted++)
                await AdmitAsync(_partitions[parts[admitted].Partition], parts[admitted].Count, ingestion, cancellation)
                    .ConfigureAwait(false);
        }
        catch
        {
            // Refused whole: the room in the partitions that had some is given back.
            for (var i = 0; i < admitted; i++)
                _partitions[parts[i].Partition].Gate.Cancel(parts[i].Count);
            throw;
        }

        var appends = new Task<long>[parts.Count];
        for (var i = 0; i < appends.Length; i++)
            appends[i] = _partitions[parts[i].Partition].AppendAdmittedAsync(parts[i].Operations, parts[i].Count).AsTask();
        var lasts = await Task.WhenAll(appends).ConfigureAwait(false);
        return await AnswerAsync(
            [.. parts.Select((p, i) => (_partitions[p.Partition], lasts[i] - p.Count + 1, lasts[i]))], ingestion, options, cancellation)
            .ConfigureAwait(false);
    }

    /// <summary>Waits for as much as the caller or the collection wants, and answers.</summary>
    private async ValueTask<UpdateResult> AnswerAsync(
        (LocalPartition Partition, long First, long Last)[] appended, IngestionSettings ingestion, WriteOptions options,
        CancellationToken cancellation)
    {
        var operation = appended[0].Last;
        foreach (var (_, _, last) in appended)
            operation = Math.Max(operation, last);
        var started = _options.Time.GetTimestamp();
        if (ingestion.Mode == IndexingMode.Synchronous)
        {
            foreach (var (partition, _, last) in appended)
            {
                if (!await partition.Indexer.WaitLinkedAsync(last, Left(), cancellation).ConfigureAwait(false))
                    return new UpdateResult(operation, UpdateStatus.WaitTimeout);
            }
        }

        if (!options.Wait)
            return new UpdateResult(operation, UpdateStatus.Acknowledged);
        foreach (var (partition, first, last) in appended)
        {
            if (!await partition.Indexer.Applied.WaitAsync(last, Left(), _options.Time, cancellation).ConfigureAwait(false)
                || !await IsEmbeddedAsync(partition, first, last, Left(), cancellation).ConfigureAwait(false))
            {
                return new UpdateResult(operation, UpdateStatus.WaitTimeout);
            }
        }

        foreach (var (partition, first, last) in appended)
        {
            if (partition.Indexer.FailureIn(first, last) is { } failed)
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

    private async ValueTask<bool> IsEmbeddedAsync(
        LocalPartition partition, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        var wait = first == 0 ? _embedding.WaitAllAsync(partition.Number, last) : _embedding.WaitAsync(partition.Number, first, last);
        if (wait.IsCompletedSuccessfully)
            return true;
        try
        {
            await wait.AsTask().WaitAsync(limit ?? Timeout.InfiniteTimeSpan, _options.Time, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
