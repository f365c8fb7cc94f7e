using System.Diagnostics;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Collections.Indexing;

public sealed partial class PartitionIndexer
{
    private const int KeptCheckpoints = 2;
    private long _checkpointed;
    private long _bytesSinceCheckpoint;
    private long _retryCheckpointAfter;
    private long _imageBytes;
    private Task _taking = Task.CompletedTask;

    /// <summary>The operation of the newest checkpoint; 0 when there is none.</summary>
    public long Checkpointed => Volatile.Read(ref _checkpointed);

    /// <summary>Why the last checkpoint could not be taken; null when it could. The log is kept meanwhile, so nothing is lost.</summary>
    public string? CheckpointError { get; private set; }

    /// <summary>Takes a checkpoint of what is applied now, keeps the last two and lets the log go behind the older.</summary>
    /// <exception cref="GranaryException">The storage refused.</exception>
    public async ValueTask CheckpointAsync(CancellationToken cancellation)
    {
        ThrowIfStopped();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        await TakeCheckpointAsync(onlyIfDue: false, stopping.Token).ConfigureAwait(false);
    }

    /// <remarks>
    /// Writing an image costs as much as the index is large, so a large one is written more seldom; less so where it takes originals out of
    /// memory.
    /// </remarks>
    private bool CheckpointIsDue()
    {
        var settings = _settings;
        var applied = Applied.Value;
        var index = _holder.Index;
        var (ofPoints, ofBytes) = index.Schema.Dense.Any(static vector => vector.OnDisk) ? (8, 8) : (4, 2);
        return applied >= Volatile.Read(ref _retryCheckpointAfter)
            && (applied - Checkpointed >= Math.Max(settings.CheckpointOperations, index.PointCount / ofPoints)
                || Volatile.Read(ref _bytesSinceCheckpoint)
                    >= Math.Max(settings.CheckpointLogBytes, Volatile.Read(ref _imageBytes) / ofBytes));
    }

    private async Task CheckpointBesideAsync(CancellationToken stop)
    {
        try
        {
            await TakeCheckpointAsync(onlyIfDue: true, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (OutOfMemoryException e)
        {
            Stop(e);
        }
        catch (Exception e)
        {
            // The log still has everything: the partition serves on, says so, and tries again later.
            CheckpointError = e.Message;
            Volatile.Write(ref _retryCheckpointAfter, Applied.Value + Math.Max(1, _settings.CheckpointOperations / 8));
        }
    }

    /// <summary>One checkpoint at a time, beside the work: applying stops only while the image is frozen.</summary>
    private async ValueTask TakeCheckpointAsync(bool onlyIfDue, CancellationToken stop)
    {
        await _checkpointing.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            using var activity = Telemetry.Activities.StartActivity("granary.checkpoint");
            var started = Stopwatch.GetTimestamp();
            var (builder, holder, operation, bytes) = await WriteImageAsync(onlyIfDue, stop).ConfigureAwait(false);
            if (builder is not null)
            {
                await using (builder.ConfigureAwait(false))
                    await PublishAsync(builder, holder!, stop).ConfigureAwait(false);

                Volatile.Write(ref _checkpointed, Math.Max(operation, Checkpointed));
                Interlocked.Add(ref _bytesSinceCheckpoint, -bytes);
                CheckpointError = null;
                var elapsed = Stopwatch.GetTimestamp() - started;
                _options.Timings.Checkpoint.Record(elapsed);
                Telemetry.Checkpoints.Record(elapsed * 1000.0 / Stopwatch.Frequency);
            }

            await LetGoAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            _checkpointing.Release();
        }
    }

    /// <summary>Writes an image; applying stops only while it is frozen.</summary>
    private async ValueTask<(ICheckpointBuilder? Builder, IndexHolder? Holder, long Operation, long Bytes)> WriteImageAsync(
        bool onlyIfDue, CancellationToken stop)
    {
        // Off the thread that applies.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (true)
        {
            var holder = _holder;
            if (!holder.TryEnter())
                continue;
            try
            {
                // What is being linked is waited for before applying is stopped.
                using var image = holder.Index.BeginCheckpoint(stop);
                if (await FreezeAsync(holder, image, onlyIfDue, stop).ConfigureAwait(false) is not { } frozen)
                    continue;
                if (frozen.Operation == 0)
                    return default;
                var builder = await _options.Checkpoints.BeginAsync(frozen.Operation, stop).ConfigureAwait(false);
                try
                {
                    image.Write(builder, stop);
                    return (builder, holder, frozen.Operation, frozen.Bytes);
                }
                catch
                {
                    await builder.DisposeAsync().ConfigureAwait(false);
                    throw;
                }
            }
            finally
            {
                holder.Leave();
            }
        }
    }

    /// <summary>The image's operation, 0 when none is needed; null when another index took the place of the image's.</summary>
    private async ValueTask<(long Operation, long Bytes)?> FreezeAsync(
        IndexHolder holder, CheckpointImage image, bool onlyIfDue, CancellationToken stop)
    {
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(holder, _holder))
                return null;
            if (Applied.Value <= Checkpointed || (onlyIfDue && !CheckpointIsDue()))
                return (0, 0);
            var started = Stopwatch.GetTimestamp();
            var operation = image.Freeze();
            _options.Timings.Freeze.Record(Stopwatch.GetTimestamp() - started);
            return (operation, Volatile.Read(ref _bytesSinceCheckpoint));
        }
        finally
        {
            _applying.Release();
        }
    }

    /// <summary>Publishes an image and reads it back: only one that has its checksums takes the place of an older one.</summary>
    private async ValueTask PublishAsync(ICheckpointBuilder builder, IndexHolder holder, CancellationToken stop)
    {
        var info = await builder.PublishAsync(stop).ConfigureAwait(false);
        try
        {
            var handle = await _options.Checkpoints.OpenAsync(info, stop).ConfigureAwait(false);
            await using (handle.ConfigureAwait(false))
            {
                PartitionIndex.VerifyCheckpoint(handle, stop);
                await MapOriginalsAsync(handle, holder, stop).ConfigureAwait(false);
            }
        }
        catch (GranaryException e) when (e.Kind is ErrorKind.Corrupted or ErrorKind.NotFound)
        {
            // The log and an older checkpoint must not go for the sake of one that does not read well.
            await _options.Checkpoints.DeleteAsync(info, stop).ConfigureAwait(false);
            throw;
        }

        Volatile.Write(ref _imageBytes, info.SizeInBytes);
    }

    /// <summary>
    /// Originals that belong on disk leave memory for the checkpoint that has them now; applying stops for a step of that at a time.
    /// </summary>
    private async ValueTask MapOriginalsAsync(ICheckpointHandle handle, IndexHolder holder, CancellationToken stop)
    {
        if (!holder.TryEnter())
            return;
        try
        {
            using var originals = holder.Index.MapOriginals(handle);
            while (originals is not null && await MapSomeAsync(originals, holder, stop).ConfigureAwait(false))
                stop.ThrowIfCancellationRequested();
            if (originals is not null)
                holder.Index.ReleaseMoved(stop);
        }
        finally
        {
            holder.Leave();
        }
    }

    private async ValueTask<bool> MapSomeAsync(MappingOriginals originals, IndexHolder holder, CancellationToken stop)
    {
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return ReferenceEquals(holder, _holder) && originals.Step();
        }
        finally
        {
            _applying.Release();
        }
    }

    private async ValueTask LetGoAsync(CancellationToken cancellation)
    {
        var kept = await _options.Checkpoints.ListAsync(cancellation).ConfigureAwait(false);
        foreach (var old in kept.Skip(KeptCheckpoints))
            await _options.Checkpoints.DeleteAsync(old, cancellation).ConfigureAwait(false);
        if (kept.Count < KeptCheckpoints)
            return;
        var before = Math.Min(kept[KeptCheckpoints - 1].Operation + 1, Volatile.Read(ref _truncateBefore));
        if (_options.Truncate is { } truncate)
            await truncate(before, cancellation).ConfigureAwait(false);
        else if (_options.Log is IPartitionLog log)
            await log.TruncateAsync(before, cancellation).ConfigureAwait(false);
    }

    /// <summary>The newest checkpoint that reads well, else the one before, else an empty index at the log's start.</summary>
    private static async ValueTask<(IndexHolder Holder, long Checkpoint, string? Note)> LoadAsync(
        IndexerOptions options, CancellationToken cancellation)
    {
        var notes = new List<string>();
        if (options.Log.RecoveryNote is { } mended)
            notes.Add(mended);
        var refused = new List<CheckpointInfo>();
        // Beside a writer the list is as new as the log's beginning at least, and the log's end as new as the list.
        await options.Log.HeadAsync(cancellation).ConfigureAwait(false);
        var first = options.Log.FirstOperation;
        var listed = await options.Checkpoints.ListAsync(cancellation).ConfigureAwait(false);
        await options.Log.HeadAsync(cancellation).ConfigureAwait(false);
        CheckLogIsThere(options, listed);
        foreach (var info in listed)
        {
            if (info.Operation + 1 < first)
            {
                notes.Add($"The checkpoint at operation {info.Operation} is too old: the log begins at {first}.");
                continue;
            }

            try
            {
                var index = await ReadAsync(options.Checkpoints, info, cancellation).ConfigureAwait(false);
                // Only now that another one reads well: the two that are kept must be good ones.
                foreach (var torn in refused)
                    await options.Checkpoints.DeleteAsync(torn, cancellation).ConfigureAwait(false);
                if (info.Operation >= options.Log.NextOperation)
                    notes.Add($"The log ended before operation {options.Log.NextOperation}; what follows up to {info.Operation} is in the "
                        + "checkpoint.");
                return (new IndexHolder(index), info.Operation, Note());
            }
            catch (GranaryException e) when (e.Kind is ErrorKind.Corrupted or ErrorKind.NotFound)
            {
                // NotFound: a section is missing.
                notes.Add($"The checkpoint at operation {info.Operation} was refused: {e.Message}");
                refused.Add(info);
            }
        }

        if (first > 1)
        {
            throw new GranaryException(
                ErrorKind.Corrupted,
                $"Partition {options.Key} cannot be recovered: its log begins at operation {first} and no checkpoint reads well. {Note()}");
        }

        return (new IndexHolder(new PartitionIndex(options.InitialSchema)), 0, Note());

        string? Note() => notes.Count == 0 ? null : string.Join(" ", notes);
    }

    /// <summary>
    /// Reads a checkpoint into memory and lets go of it: one that is deleted later gives its space back while the server runs, but for the
    /// sections that serve originals, which do when a newer checkpoint serves them.
    /// </summary>
    private static async ValueTask<PartitionIndex> ReadAsync(
        ICheckpointStore checkpoints, CheckpointInfo info, CancellationToken cancellation)
    {
        var handle = await checkpoints.OpenAsync(info, cancellation).ConfigureAwait(false);
        await using (handle.ConfigureAwait(false))
            return PartitionIndex.ReadCheckpoint(handle);
    }

    /// <remarks>
    /// A log without a single operation beside a checkpoint that has some was lost, not cut short by a loss of power: storages make a log
    /// durable up to an operation before they publish a checkpoint with it, whatever the durability of acknowledgements (files sync the
    /// log, a database commits both in order), and truncating keeps the next number. What the log held beyond the checkpoint was
    /// acknowledged, so going on silently is no choice. A log that had to be cut when it was opened was there: its last group may have been
    /// the only one, and the checkpoint has it.
    /// </remarks>
    private static void CheckLogIsThere(IndexerOptions options, IReadOnlyList<CheckpointInfo> checkpoints)
    {
        var newest = checkpoints.Count == 0 ? 0 : checkpoints.Max(c => c.Operation);
        if (options.Log.NextOperation > 1 || newest == 0 || options.Log.RecoveryNote is not null)
            return;
        throw new GranaryException(
            ErrorKind.Corrupted,
            $"Partition {options.Key} cannot be recovered: it has a checkpoint at operation {newest}, but its log is gone. Put the log "
                + "back in place, or drop the collection.");
    }

    /// <summary>The next operation was truncated away: a newer checkpoint takes the index's place.</summary>
    private async ValueTask ReloadAsync(CancellationToken stop)
    {
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            var (holder, checkpoint, note) = await LoadAsync(_options, stop).ConfigureAwait(false);
            if (holder.Index.AppliedOperation <= Applied.Value)
            {
                holder.Leave();
                throw new GranaryException(ErrorKind.Corrupted,
                    $"Partition {Key} lacks operation {Applied.Value + 1}: the log was truncated and no checkpoint has it.");
            }

            RecoveryNote = note;
            Volatile.Write(ref _checkpointed, checkpoint);
            Replace(holder);
        }
        finally
        {
            _applying.Release();
        }
    }

    /// <summary>Puts another index in place, atomically for those who open readers from now on. Called while nothing is applied.</summary>
    private void Replace(IndexHolder holder)
    {
        var old = _holder;
        _holder = holder;
        Applied.Advance(holder.Index.AppliedOperation);
        old.Leave();
        _linkBell.Ring(0, Applied.Value);
    }
}
