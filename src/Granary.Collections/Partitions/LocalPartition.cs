using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Feeds;
using Granary.Collections.Indexing;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Search;

namespace Granary.Collections.Partitions;

/// <summary>A partition wholly in this process: writer, feed, indexer and search, put together.</summary>
public sealed class LocalPartition : IPartition, IEmbeddingTarget, IAsyncDisposable
{
    private readonly InProcessFeed _feed;
    private readonly IPartitionLog _log;
    private readonly EmbeddingPipeline _embedding;
    private readonly TimeProvider _time;

    private LocalPartition(InProcessFeed feed, IPartitionLog log, PartitionIndexer indexer, PartitionWriter writer, AdmissionGate gate,
        EmbeddingPipeline embedding, TimeProvider time)
    {
        (_feed, _log, Indexer, Writer, Gate, _embedding, _time) = (feed, log, indexer, writer, gate, embedding, time);
        Search = new LocalPartitionSearch(indexer, () => writer.Logged, time);
    }

    /// <inheritdoc cref="IPartition.Number"/>
    public int Number => Indexer.Key.Number;

    /// <summary>Its writer.</summary>
    public PartitionWriter Writer { get; }

    /// <summary>Its indexer.</summary>
    public PartitionIndexer Indexer { get; }

    /// <summary>What bounds its queue.</summary>
    public AdmissionGate Gate { get; }

    /// <inheritdoc/>
    public IPartitionSearch Search { get; }

    /// <summary>Opens a partition and starts indexing what its log has beyond the newest checkpoint.</summary>
    public static async ValueTask<LocalPartition> OpenAsync(
        IStorage storage, PartitionKey key, IndexSchema initialSchema, IngestionSettings ingestion, PhaseTimings timings,
        EmbeddingPipeline embedding, TimeProvider time, CancellationToken cancellation)
    {
        var log = await storage.OpenLogAsync(key, cancellation).ConfigureAwait(false);
        ICheckpointStore? checkpoints = null;
        InProcessFeed? feed = null;
        PartitionIndexer? indexer = null;
        try
        {
            checkpoints = await storage.OpenCheckpointsAsync(key, cancellation).ConfigureAwait(false);
            feed = new InProcessFeed(time);
            var tail = new LogTail(Math.Max(1024, 2 * ingestion.QueueCapacity));
            var gate = new AdmissionGate(ingestion.QueueCapacity, log.NextOperation - 1, 0, time);
            indexer = await PartitionIndexer.OpenAsync(
                new IndexerOptions
                {
                    Key = key,
                    Log = log,
                    Checkpoints = checkpoints,
                    Feed = feed,
                    Tail = tail,
                    InitialSchema = initialSchema,
                    Ingestion = ingestion,
                    Timings = timings,
                    Time = time,
                    AwaitsEmbedding = (operation, id) => embedding.Enqueue(key.Number, operation, id),
                    OnLinked = gate.OnLinked,
                    OnFault = gate.Fail,
                },
                cancellation).ConfigureAwait(false);
            await CatchUpLogAsync(log, indexer, gate, cancellation).ConfigureAwait(false);
            gate.OnLinked(indexer.Linked.Value);
            return new LocalPartition(feed, log, indexer, new PartitionWriter(key, log, feed, tail, timings), gate,
                embedding, time);
        }
        catch
        {
            // The indexer owns the checkpoints and listens to the feed.
            if (indexer is not null)
                await indexer.DisposeAsync().ConfigureAwait(false);
            feed?.Dispose();
            if (indexer is null && checkpoints is not null)
                await checkpoints.DisposeAsync().ConfigureAwait(false);
            await log.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets the queue drain into the graph and takes a checkpoint, so that the next start has nothing to do.</summary>
    public async ValueTask DrainAsync(CancellationToken cancellation)
    {
        if (Indexer.Fault is not null)
            return;
        var logged = Writer.Logged;
        await Indexer.Applied.WaitAsync(logged, cancellation).ConfigureAwait(false);
        await Indexer.WaitLinkedAsync(logged, null, cancellation).ConfigureAwait(false);
        await Indexer.CheckpointAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public PointRecord? Read(PointId id, VectorSelector vectors)
    {
        using var lease = Indexer.OpenReader();
        return lease.Reader.TryGet(id, vectors, out var point)
            ? PointSelector.Select(point!, new PointSelection(PayloadSelector.All, vectors)) : null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<PointId> Lacking(string vector, string path, PointId? from, int limit)
    {
        using var lease = Indexer.OpenReader();
        var filter = new Filter { MustNot = [new HasVectorCondition(vector), new IsEmptyCondition(path)] };
        return [.. lease.Reader.Search(new ScanLeg { Filter = filter, From = from, Limit = limit }).Hits.Select(h => h.Id)];
    }

    /// <inheritdoc/>
    public async ValueTask ApplyAsync(ReadOnlyMemory<byte> operations, int count, CancellationToken cancellation)
    {
        Gate.Force(count);
        var last = await AppendAdmittedAsync(operations, count).ConfigureAwait(false);
        await Indexer.Applied.WaitAsync(last, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask CaughtUpAsync(CancellationToken cancellation) => Indexer.Applied.WaitAsync(Writer.Logged, cancellation);

    /// <inheritdoc/>
    public async ValueTask<long> WriteAsync(
        ReadOnlyMemory<byte> operations, int count, TimeSpan admission, CancellationToken cancellation)
    {
        Indexer.ThrowIfStopped();
        await Gate.EnterAsync(count, admission, cancellation).ConfigureAwait(false);
        return await AppendAdmittedAsync(operations, count).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation)
    {
        Indexer.ThrowIfStopped();
        await Gate.EnterAsync(count, admission, cancellation).ConfigureAwait(false);
        return new Reservation(0, count);
    }

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(Reservation reservation)
    {
        Gate.Cancel(reservation.Count);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<long> WriteReservedAsync(Reservation reservation, ReadOnlyMemory<byte> operations) =>
        AppendAdmittedAsync(operations, reservation.Count);

    /// <inheritdoc/>
    public ValueTask<long> LogAsync(ReadOnlyMemory<byte> operations, int count, CancellationToken cancellation)
    {
        Indexer.ThrowIfStopped();
        Gate.Force(count);
        return AppendAdmittedAsync(operations, count);
    }

    /// <inheritdoc/>
    public ValueTask<long> LoggedAsync(CancellationToken cancellation) => new(Writer.Logged);

    /// <inheritdoc/>
    public async ValueTask<WaitResult> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        var started = _time.GetTimestamp();
        var reached = target == WaitTarget.Linked
            ? await Indexer.WaitLinkedAsync(last, limit, cancellation).ConfigureAwait(false)
            : await Indexer.Applied.WaitAsync(last, limit, _time, cancellation).ConfigureAwait(false);
        if (reached && target == WaitTarget.Embedded)
        {
            var left = limit - _time.GetElapsedTime(started);
            reached = await _embedding.WaitAsync(Number, first, last, left < TimeSpan.Zero ? TimeSpan.Zero : left, cancellation)
                .ConfigureAwait(false);
        }

        return new WaitResult(reached, reached && first > 0 ? Indexer.FailureIn(first, last) : null);
    }

    /// <inheritdoc/>
    public async ValueTask<IndexSchema> SchemaAsync(CancellationToken cancellation)
    {
        await CaughtUpAsync(cancellation).ConfigureAwait(false);
        return Indexer.Index.Schema;
    }

    /// <inheritdoc/>
    public ValueTask<PartitionReport> ReportAsync(CancellationToken cancellation)
    {
        // First of all: what is logged after the linked operation was read would count as a queue deeper than it ever was.
        var logged = Writer.Logged;
        var report = Indexer.Report();
        return new(report with
        {
            Status = report.Status with
            {
                Logged = Math.Max(logged, report.Status.Applied),
                LagMilliseconds = report.Status.Linked >= logged ? 0 : Indexer.Lag.TotalMilliseconds,
                LogBytes = _log.SizeInBytes,
                Fault = report.Status.Fault ?? Writer.Fault,
            },
            Failures = [.. report.Failures, .. _embedding.Failures.Where(f => f.Partition == Number)],
            EmbeddingQueue = _embedding.PendingOf(Number),
            EmbeddingFailures = _embedding.FailedOf(Number),
        });
    }

    /// <inheritdoc/>
    public ValueTask RebuildAsync(CancellationToken cancellation) => Indexer.RebuildAsync(cancellation);

    /// <inheritdoc/>
    public async ValueTask CheckpointAsync(CancellationToken cancellation)
    {
        await CaughtUpAsync(cancellation).ConfigureAwait(false);
        await Indexer.CheckpointAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Appends what the gate let in; gives the room back when the append fails.</summary>
    public async ValueTask<long> AppendAdmittedAsync(ReadOnlyMemory<byte> operations, int count)
    {
        try
        {
            return await Writer.AppendAsync(operations, count).ConfigureAwait(false);
        }
        catch
        {
            Gate.Cancel(count);
            throw;
        }
    }

    /// <summary>Closes at once, without draining.</summary>
    public async ValueTask DisposeAsync()
    {
        await Indexer.DisposeAsync().ConfigureAwait(false);
        await Writer.DisposeAsync().ConfigureAwait(false);
        _feed.Dispose();
    }

    /// <summary>
    /// The log may end before the checkpoint does, where its last records were damaged after the checkpoint was taken or the disk broke its
    /// word. Its numbers must not be given out again: the gap is filled with operations that do nothing.
    /// </summary>
    private static async ValueTask CatchUpLogAsync(
        IPartitionLog log, PartitionIndexer indexer, AdmissionGate gate, CancellationToken cancellation)
    {
        const int most = 10_000;
        for (var missing = indexer.Checkpointed + 1 - log.NextOperation; missing > 0; missing = indexer.Checkpointed
            + 1 - log.NextOperation)
        {
            var writer = new OperationWriter();
            for (var i = 0; i < Math.Min(missing, most); i++)
            {
                writer.Begin(OperationKind.None, default);
                writer.End();
            }

            gate.Force(writer.Count);
            await log.AppendAsync([new LogRecord(log.NextOperation, writer.Count, Guid.NewGuid(), writer.Written)], cancellation)
                .ConfigureAwait(false);
        }
    }
}
