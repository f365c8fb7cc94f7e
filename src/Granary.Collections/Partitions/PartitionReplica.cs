using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Wire;
using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>
/// One replica of a partition that is searched from other processes. It opens in the background, however often that fails; until it is
/// open, and while it holds no lease, it answers that it does not serve.
/// </summary>
public sealed partial class PartitionReplica : IAsyncDisposable
{
    private readonly ReplicaOptions _options;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource<ReplicaEngine> _opened = NewOpened();
    private Task _worker = Task.CompletedTask;
    private CollectionConfig _config;
    private volatile ReplicaEngine? _engine;
    private volatile ReplicaState _state;
    private volatile string? _reason = "it is opening";
    private readonly ReplicaRole _role;
    private readonly NearSearch _near;
    private bool _standsBy;
    private int _disposed;

    private PartitionReplica(ReplicaOptions options)
    {
        (_options, _config, _standsBy) = (options, options.Config, options.StandsBy);
        _role = new ReplicaRole(options.Replica);
        _near = new NearSearch(this);
    }

    /// <summary>The partition.</summary>
    public PartitionKey Key => _options.Key;

    /// <summary>The replica's number.</summary>
    public int Replica => _role.Number;

    /// <summary>What it is doing.</summary>
    public ReplicaState State => _state;

    /// <summary>Whether reads are served.</summary>
    public bool Serves => _engine is { Reason: null };

    /// <summary>
    /// Gives it another number, and with it another task: replica 0 takes checkpoints and embeds. Its index and its lease stay, so that a
    /// replica whose number changes with the plan serves on.
    /// </summary>
    public void Assign(int replica)
    {
        lock (_lock)
        {
            _role.Number = replica;
            _engine?.FollowRole(_config);
        }
    }

    /// <summary>Its live points, roughly; 0 while it is opening.</summary>
    public long EstimatedPoints => _engine?.Search.EstimatedPoints ?? 0;

    private bool TakesCheckpoints => _options.TakesCheckpoints && _role.IsFirst;

    /// <summary>Whether it is kept warm without serving.</summary>
    public bool IsStandingBy
    {
        get
        {
            lock (_lock)
                return _standsBy;
        }
    }

    /// <summary>Takes a lease from now on, and serves as soon as it has it.</summary>
    public void Serve()
    {
        lock (_lock)
        {
            _standsBy = false;
            _engine?.TakeLease();
        }
    }

    /// <summary>Gives the lease back and stays warm.</summary>
    public async ValueTask StandByAsync()
    {
        ReplicaEngine? engine;
        lock (_lock)
        {
            _standsBy = true;
            engine = _engine;
        }

        if (engine is not null)
            await engine.ReturnLeaseAsync().ConfigureAwait(false);
    }

    /// <summary>Completes once it is open and has everything that was logged when it was.</summary>
    /// <exception cref="GranaryException">It was closed, or the log could not be read.</exception>
    public async ValueTask WaitWarmAsync(CancellationToken cancellation)
    {
        var engine = await Opened().WaitAsync(cancellation).ConfigureAwait(false);
        await engine.CaughtUpAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Begins opening a replica and returns at once.</summary>
    public static PartitionReplica Start(ReplicaOptions options)
    {
        var replica = new PartitionReplica(options);
        Telemetry.Replicas.Add(replica);
        replica._worker = Task.Run(replica.RunAsync, CancellationToken.None);
        return replica;
    }

    /// <summary>Completes once it serves reads and has everything that was logged when it was opened.</summary>
    /// <exception cref="GranaryException">It was closed before.</exception>
    public async ValueTask WaitServingAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var engine = await Opened().WaitAsync(cancellation).ConfigureAwait(false);
            if (Volatile.Read(ref _disposed) != 0)
                throw ReplicaEngine.Unavailable(_options, "it is closed");
            try
            {
                await engine.CaughtUpAsync(cancellation).ConfigureAwait(false);
                await _options.Leases.RenewAsync(cancellation).ConfigureAwait(false);
                if (engine.Reason is null)
                    return;
            }
            catch (Exception e) when (Patience.IsPassing(e, cancellation))
            {
            }

            await Task.Delay(FirstPause, _options.Time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Tells it that the log has operations up to this one.</summary>
    public void Bell(long lastOperation) => _engine?.Bell(lastOperation);

    /// <summary>
    /// Tells it the same, and when the bell was rung: how long it was until the operations were applied here is recorded once they are.
    /// </summary>
    public void Bell(long lastOperation, DateTimeOffset rung) => _engine?.Bell(lastOperation, rung);

    /// <summary>Uses other settings from now on.</summary>
    public void Use(CollectionConfig config)
    {
        lock (_lock)
        {
            _config = config;
            _engine?.Use(config);
        }
    }

    /// <summary>Answers a request; runs on the thread pool, whatever scheduler calls.</summary>
    /// <exception cref="GranaryException">The request is wrong, or the replica does not serve.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> AskAsync(ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return await AskHereAsync(call, request, cancellation).ConfigureAwait(false);
    }

    /// <summary>The same on the caller's thread, which must be one of the pool.</summary>
    public ValueTask<ReadOnlyMemory<byte>> AskHereAsync(
        ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation) =>
        AnswerAsync(call, engine => AnswerAsync(engine, call, request, cancellation));

    /// <summary>The same of a search that was read already.</summary>
    public ValueTask<ReadOnlyMemory<byte>> SearchHereAsync(PartitionRequest request, CancellationToken cancellation) =>
        AnswerAsync(
            ReplicaCall.Search, async engine => SearchWire.Encode(await SearchAsync(engine, request, cancellation).ConfigureAwait(false)));

    private async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(
        ReplicaCall call, Func<ReplicaEngine, ValueTask<ReadOnlyMemory<byte>>> answer)
    {
        using var activity = Telemetry.Activities.StartActivity("granary.replica.read");
        activity?.SetTag("granary.partition", Key.Number).SetTag("granary.replica", Replica).SetTag("granary.call", call.ToString());
        try
        {
            return await answer(Engine()).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            activity.Fail(e);
            if (e is GranaryException)
                throw;
            throw Explain(e);
        }
    }

    /// <summary>Waits until operations have come so far here.</summary>
    /// <exception cref="GranaryException">The replica is not open.</exception>
    public async ValueTask<ReplicaWait> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var engine = Engine();
        try
        {
            var result = await engine.WaitAsync(target, first, last, limit, cancellation).ConfigureAwait(false);
            return new ReplicaWait(engine.Instance, result);
        }
        catch (ObjectDisposedException)
        {
            throw ReplicaEngine.Unavailable(_options, "it is being closed");
        }
    }

    /// <summary>Its state.</summary>
    public ReplicaReport Report()
    {
        var engine = _engine;
        return new ReplicaReport(
            Key, Replica, _state, engine?.Instance ?? Guid.Empty, engine?.Indexer.Applied.Value ?? 0, engine?.Indexer.Linked.Value ?? 0,
            engine?.Indexer.Recovering ?? true, engine is null ? _reason : engine.Reason);
    }

    /// <summary>
    /// Lets what is logged drain into the graph and, where it takes checkpoints, takes one, so that the next to open it has nothing to do.
    /// </summary>
    /// <exception cref="GranaryException">It stopped.</exception>
    public async ValueTask DrainAsync(CancellationToken cancellation)
    {
        if (!TakesCheckpoints || _engine is not { } engine)
            return;
        await engine.CaughtUpAsync(cancellation).ConfigureAwait(false);
        await engine.Indexer.WaitLinkedAsync(engine.Indexer.Applied.Value, null, cancellation).ConfigureAwait(false);
        await engine.Indexer.CheckpointAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Stops at once, gives the lease back and frees the index.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Telemetry.Replicas.Remove(this);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _worker.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private ReplicaEngine Engine() => _engine ?? throw ReplicaEngine.Unavailable(_options, _reason ?? "it is opening");

    private async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(
        ReplicaEngine engine, ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        switch (call)
        {
            case ReplicaCall.Search:
                return SearchWire.Encode(
                    await SearchAsync(engine, SearchWire.DecodeRequest(request), cancellation).ConfigureAwait(false));
            case ReplicaCall.Statistics:
                var statistics = CallWire.DecodeStatistics(request);
                return StatisticsWire.Encode(
                    await StatisticsAsync(engine, statistics.Request, statistics.Read, cancellation).ConfigureAwait(false));
            case ReplicaCall.Fetch:
                var fetch = CallWire.DecodeFetch(request);
                return PointWire.EncodePoints(
                    await FetchAsync(engine, fetch.Ids, fetch.Selection, fetch.Read, cancellation).ConfigureAwait(false));
            case ReplicaCall.Count:
                var count = CallWire.DecodeCount(request);
                return CallWire.EncodeNumber(
                    await CountAsync(engine, count.Filter, count.Exact, count.Read, cancellation).ConfigureAwait(false));
            case ReplicaCall.Facet:
                var facet = CallWire.DecodeFacet(request);
                return SearchWire.Encode(await FacetAsync(
                    engine, facet.Key, facet.Filter, facet.Limit, facet.Exact, facet.Read, cancellation).ConfigureAwait(false));
            case ReplicaCall.Report:
                return StatusWire.Encode(engine.Report());
            case ReplicaCall.Schema:
                await engine.CaughtUpAsync(cancellation).ConfigureAwait(false);
                return CallWire.Encode(engine.Indexer.Index.Schema);
            case ReplicaCall.Rebuild:
                await engine.Indexer.RebuildAsync(cancellation).ConfigureAwait(false);
                return CallWire.EncodeDone();
            case ReplicaCall.Checkpoint:
                await CheckpointAsync(engine, cancellation).ConfigureAwait(false);
                return CallWire.EncodeDone();
            default:
                throw GranaryException.BadInput($"A replica cannot be asked for {call}");
        }
    }

    private async ValueTask CheckpointAsync(ReplicaEngine engine, CancellationToken cancellation)
    {
        if (!TakesCheckpoints)
            throw GranaryException.BadInput($"Replica {Replica} of partition {Key.Number} takes no checkpoints; another one does");
        await engine.CaughtUpAsync(cancellation).ConfigureAwait(false);
        await engine.Indexer.CheckpointAsync(cancellation).ConfigureAwait(false);
    }
}
