using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Feeds;
using Granary.Collections.Indexing;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Collections.Partitions;

/// <summary>A replica from one opening to its end: log reader, indexer, search, lease, and what embeds.</summary>
internal sealed partial class ReplicaEngine : IEmbeddingTarget, IAsyncDisposable
{
    private readonly ReplicaOptions _options;
    private readonly InProcessFeed _feed;
    private readonly InProcessFeed _progress;
    private readonly ILogReader _log;
    private readonly SharedRead _head;
    private readonly ReplicaRole _role;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<GranaryException> _faulted;
    private ReplicaLease? _lease;
    private Task _reporting = Task.CompletedTask;
    private int _disposed;

    private ReplicaEngine(ReplicaOptions options, ReplicaRole role, InProcessFeed feed, InProcessFeed progress, ILogReader log,
        PartitionIndexer indexer, PhaseTimings timings, TaskCompletionSource<GranaryException> faulted)
    {
        (_options, _role, _feed, _progress, _log, Indexer, Timings, _faulted) =
            (options, role, feed, progress, log, indexer, timings, faulted);
        _head = new SharedRead(() => log.HeadAsync(_stopping.Token));
        Search = new LocalPartitionSearch(indexer, () => indexer.Applied.Value, options.Time);
    }

    /// <summary>Another one after every opening.</summary>
    public Guid Instance { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public int Number => _options.Key.Number;

    public PartitionIndexer Indexer { get; }

    public LocalPartitionSearch Search { get; }

    public PhaseTimings Timings { get; }

    /// <summary>Completes when the engine stopped by itself.</summary>
    public Task<GranaryException> Faulted => _faulted.Task;

    /// <summary>Why reads are not served; null when they are.</summary>
    public string? Reason => Indexer.Fault?.Message ?? (_lease is { } lease ? lease.State.Reason : "it has no lease yet");

    /// <summary>Opens the newest checkpoint and starts applying what the log has beyond it.</summary>
    public static async ValueTask<ReplicaEngine> OpenAsync(
        ReplicaOptions options, ReplicaRole role, CollectionConfig config, CancellationToken cancellation)
    {
        ReplicaEngine? engine = null;
        var timings = new PhaseTimings();
        var faulted = new TaskCompletionSource<GranaryException>(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = await options.Storage.OpenLogReaderAsync(options.Key, cancellation).ConfigureAwait(false);
        var feed = new InProcessFeed(options.Time);
        var progress = new InProcessFeed(options.Time);
        ICheckpointStore? checkpoints = null;
        PartitionIndexer indexer;
        try
        {
            checkpoints = await options.Storage.OpenCheckpointsAsync(options.Key, cancellation).ConfigureAwait(false);
            indexer = await PartitionIndexer.OpenAsync(
                new IndexerOptions
                {
                    Key = options.Key,
                    Log = log,
                    Checkpoints = checkpoints,
                    TakesCheckpoints = options.TakesCheckpoints,
                    MayCheckpoint = () => role.IsFirst,
                    Truncate = (before, token) => TruncateAsync(options, role, before, token),
                    Feed = feed,
                    InitialSchema = options.InitialSchema,
                    Ingestion = config.Ingestion,
                    Timings = timings,
                    Time = options.Time,
                    // What comes before there is an engine is found by looking for points that lack a vector.
                    AwaitsEmbedding = options.Embedder is null
                        ? null : (operation, id) => Volatile.Read(ref engine)?._embedding?.Enqueue(options.Key.Number, operation, id),
                    OnLinked = linked => progress.Ring(0, linked),
                    OnFault = fault => faulted.TrySetResult(fault),
                },
                cancellation).ConfigureAwait(false);
        }
        catch
        {
            if (checkpoints is not null)
                await checkpoints.DisposeAsync().ConfigureAwait(false);
            feed.Dispose();
            progress.Dispose();
            await log.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        var opened = new ReplicaEngine(options, role, feed, progress, log, indexer, timings, faulted);
        Volatile.Write(ref engine, opened);
        opened._reporting = Task.Run(opened.RunReportingAsync, CancellationToken.None);
        return opened;
    }

    /// <summary>Asks for a lease from now on, if it does not yet. Calls do not overlap.</summary>
    public void TakeLease() => _lease ??= _options.Leases.Register(
        new LeaseRequest(_options.Key, Instance, _role.Number), () => Indexer.Applied.Value, Bell);

    /// <summary>Gives the lease back.</summary>
    public async ValueTask ReturnLeaseAsync()
    {
        if (Interlocked.Exchange(ref _lease, null) is { } lease)
            await lease.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The log has operations up to this one.</summary>
    public void Bell(long last)
    {
        if (last > Indexer.Applied.Value)
            _feed.Ring(0, last);
    }

    /// <summary>The same, with the moment it was rung.</summary>
    public void Bell(long last, DateTimeOffset rung)
    {
        Bell(last);
        _ = TimeBellAsync(last, rung);
    }

    /// <summary>Uses other settings from now on.</summary>
    public void Use(CollectionConfig config)
    {
        Indexer.Settings = config.Ingestion;
        _embedding?.Change(config);
    }

    /// <summary>Throws unless reads are served.</summary>
    /// <exception cref="GranaryException">They are not, and why.</exception>
    public void CheckServes()
    {
        if (Reason is { } reason)
            throw Unavailable(reason);
    }

    /// <summary>Waits until what a read must see is applied.</summary>
    public async ValueTask SeeAsync(ReadOptions read, CancellationToken cancellation)
    {
        var strong = read.Strong is true;
        if (!strong && (read.MinOperation ?? 0) <= Indexer.Applied.Value)
            return;
        // The log itself is asked: whoever leads the partition, it has everything acknowledged. A caller's number may be another
        // partition's, beyond this one's log.
        var newest = await _head.ReadAsync().WaitAsync(cancellation).ConfigureAwait(false) - 1;
        var wanted = strong ? newest : Math.Min(newest, read.MinOperation ?? 0);
        if (!await AppliedAsync(wanted, read.Timeout, cancellation).ConfigureAwait(false))
        {
            throw new GranaryException(
                ErrorKind.Timeout,
                $"Partition {Number} did not reach operation {wanted} within {read.Timeout!.Value.TotalSeconds:0.###} s: replica "
                    + $"{_role.Number} is at {Indexer.Applied.Value}");
        }
    }

    /// <summary>Waits until operations have come so far here.</summary>
    public async ValueTask<WaitResult> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        var started = _options.Time.GetTimestamp();
        Bell(last);
        var reached = target == WaitTarget.Linked
            ? await Indexer.WaitLinkedAsync(last, limit, cancellation).ConfigureAwait(false)
            : await AppliedAsync(last, limit, cancellation).ConfigureAwait(false);
        if (reached && target == WaitTarget.Embedded && _options.Embedder is not null)
        {
            // Whoever asks it between two roles would take what lacks a vector for done.
            var embedding = _embedding ?? throw Unavailable("another replica embeds");
            var left = limit - _options.Time.GetElapsedTime(started);
            // What was logged before the opening is not told of, but looked for: that counts as operation 0.
            reached = await embedding.WaitAsync(
                Number, first <= Volatile.Read(ref _embeddingFrom) ? 0 : first, last, left < TimeSpan.Zero ? TimeSpan.Zero : left,
                cancellation).ConfigureAwait(false);
        }

        return new WaitResult(reached, reached && first > 0 ? Indexer.FailureIn(first, last) : null);
    }

    /// <summary>Its state.</summary>
    public PartitionReport Report()
    {
        var report = Indexer.Report();
        return report with
        {
            Status = report.Status with { LogBytes = _log.SizeInBytes },
            Failures = [.. report.Failures, .. _embedding?.Failures ?? []],
            EmbeddingQueue = _embedding?.PendingOf(Number) ?? 0,
            EmbeddingFailures = _embedding?.FailedOf(Number) ?? 0,
            Timings = Timings.Snapshot(),
        };
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
        var batch = Guid.NewGuid();
        var last = await Patience.InsistAsync(
            retry => _options.Leader.WriteAsync(batch, retry, operations, count, null, cancellation), null,
            $"The writer of partition {Number}", _options.Time, cancellation).ConfigureAwait(false);
        await AppliedAsync(last, null, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CaughtUpAsync(CancellationToken cancellation)
    {
        var head = await _head.ReadAsync().WaitAsync(cancellation).ConfigureAwait(false);
        await AppliedAsync(head - 1, null, cancellation).ConfigureAwait(false);
    }

    /// <summary>Stops serving, gives the lease back and frees the index.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await ReturnLeaseAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _reporting.ConfigureAwait(false);
        await EndEmbeddingAsync().ConfigureAwait(false);
        await Indexer.DisposeAsync().ConfigureAwait(false);
        _feed.Dispose();
        _progress.Dispose();
        await _log.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    public GranaryException Unavailable(string reason) => Unavailable(_options, reason);

    /// <summary>Ends after so long by the replica's clock.</summary>
    public CancellationTokenSource LimitOf(TimeSpan limit) => new(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, _options.Time);

    /// <summary>What is said when it did.</summary>
    public GranaryException Late(TimeSpan limit) => new(
        ErrorKind.Timeout, $"Replica {_role.Number} of partition {Number} had no answer within {limit.TotalSeconds:0.###} s");

    public static GranaryException Unavailable(ReplicaOptions options, string reason) => new(
        ErrorKind.Unavailable, $"Replica {options.Replica} of partition {options.Key.Number} does not serve: {reason}");

    private ValueTask<bool> AppliedAsync(long operation, TimeSpan? limit, CancellationToken cancellation)
    {
        Bell(operation);
        return Indexer.Applied.WaitAsync(operation, limit, _options.Time, cancellation);
    }

    private static async ValueTask TruncateAsync(
        ReplicaOptions options, ReplicaRole role, long before, CancellationToken cancellation)
    {
        if (!options.TakesCheckpoints || !role.IsFirst)
            return;
        try
        {
            await options.Leader.TruncateAsync(before, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (Patience.IsPassing(e, cancellation))
        {
            // The log stays longer: the next checkpoint lets it go.
        }
    }
}
