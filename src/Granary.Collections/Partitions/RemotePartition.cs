using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Wire;
using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>A partition whose writer and replicas are in other processes, or in this one: reached through ports.</summary>
public sealed partial class RemotePartition : IPartition
{
    private readonly PartitionKey _key;
    private readonly ILeaderPort _leader;
    private readonly IReadOnlyList<IReplicaPort> _replicas;
    private readonly ILeaseStore _leases;
    private readonly RemotePartitionOptions _options;
    private readonly TimeProvider _time;
    private readonly RemotePartitionSearch _search;
    private volatile bool _embeds;

    /// <summary>A partition as one process reaches it.</summary>
    /// <param name="key">The partition.</param>
    /// <param name="leader">Its writing side.</param>
    /// <param name="replicas">Its replicas, by number; replica 0 embeds and takes checkpoints.</param>
    /// <param name="leases">Who may serve reads.</param>
    /// <param name="options">How it goes about its calls.</param>
    /// <param name="time">The clock.</param>
    public RemotePartition(PartitionKey key, ILeaderPort leader, IReadOnlyList<IReplicaPort> replicas, ILeaseStore leases,
        RemotePartitionOptions options, TimeProvider time)
    {
        (_key, _leader, _replicas, _leases, _options, _time) = (key, leader, replicas, leases, options, time);
        _search = new RemotePartitionSearch(key, replicas, options, time);
    }

    /// <inheritdoc/>
    public int Number => _key.Number;

    /// <inheritdoc/>
    public IPartitionSearch Search => _search;

    private string WriterName => $"The writer of partition {Number}";

    /// <summary>Uses other settings from now on.</summary>
    public void Use(CollectionConfig config) => _embeds = !config.Embeddings.IsDefaultOrEmpty;

    /// <inheritdoc/>
    public ValueTask<long> WriteAsync(
        ReadOnlyMemory<byte> operations, int count, TimeSpan admission, CancellationToken cancellation) =>
        WriteAsync(operations, count, admission, admission + _options.MovePatience, cancellation);

    /// <inheritdoc/>
    public ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation) =>
        Patience.InsistAsync(
            _ => _leader.ReserveAsync(count, admission, cancellation), admission + _options.MovePatience, WriterName, _time, cancellation);

    /// <inheritdoc/>
    public async ValueTask ReleaseAsync(Reservation reservation)
    {
        try
        {
            using var limit = new CancellationTokenSource(_options.ReportLimit, _time);
            await _leader.ReleaseAsync(reservation, limit.Token).AsTask().WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It runs out by itself.
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> WriteReservedAsync(Reservation reservation, ReadOnlyMemory<byte> operations)
    {
        var batch = Guid.NewGuid();
        return TracedAsync(reservation.Count, () => Patience.InsistAsync(
            retry => _leader.WriteReservedAsync(batch, retry, reservation, operations, CancellationToken.None), _options.MovePatience,
            WriterName, _time, CancellationToken.None));
    }

    /// <inheritdoc/>
    public ValueTask<long> LogAsync(ReadOnlyMemory<byte> operations, int count, CancellationToken cancellation) =>
        WriteAsync(operations, count, null, _options.MovePatience, cancellation);

    /// <inheritdoc/>
    public async ValueTask<long> LoggedAsync(CancellationToken cancellation)
    {
        var state = await Patience.InsistAsync(
            _ => _leader.StateAsync(cancellation), _options.MovePatience, WriterName, _time, cancellation).ConfigureAwait(false);
        return state.Logged;
    }

    /// <inheritdoc/>
    public ValueTask<IndexSchema> SchemaAsync(CancellationToken cancellation) =>
        _search.InsistAsync(ReplicaCall.Schema, default, CallWire.DecodeSchema, cancellation);

    /// <inheritdoc/>
    public async ValueTask<PartitionReport> ReportAsync(CancellationToken cancellation)
    {
        var state = TryAsync(async token => await _leader.StateAsync(token).ConfigureAwait(false), cancellation);
        var asked = _replicas.Select(port => TryAsync(
            async token => StatusWire.DecodeReport(
                await port.AskAsync(ReplicaCall.Report, default, token).ConfigureAwait(false)), cancellation)).ToList();
        var answers = await Task.WhenAll(asked).ConfigureAwait(false);
        var (leader, leaderError) = await state.ConfigureAwait(false);
        var away = answers.Select((a, i) => a.Error is { } error ? $"replica {i}: {error}" : null).OfType<string>().ToList();
        var fault = leader is null ? $"writer: {leaderError}" : leader.Fault;
        var reports = answers.Select(a => a.Answer).OfType<PartitionReport>().ToList();
        if (reports.Count == 0)
        {
            return new PartitionReport(new PartitionStatus
            {
                Number = Number,
                Logged = leader?.Logged ?? 0,
                Fault = $"Partition {Number} is unavailable ({string.Join("; ", fault is null ? away : [.. away, fault])})",
            });
        }

        // Replica 0 knows of checkpoints and embeddings; what there is, who is furthest; how far all are, the last one says.
        var report = reports[0];
        var furthest = reports.MaxBy(r => r.Status.Applied)!.Status;
        _search.EstimatedPoints = furthest.Points;
        var status = report.Status with
        {
            Points = furthest.Points,
            Vectors = furthest.Vectors,
            IndexedVectors = reports.Min(r => r.Status.IndexedVectors),
            Applied = reports.Min(r => r.Status.Applied),
            Linked = reports.Min(r => r.Status.Linked),
            LagMilliseconds = reports.Max(r => r.Status.LagMilliseconds),
            Checkpointed = reports.Max(r => r.Status.Checkpointed),
            LogBytes = leader?.LogBytes ?? report.Status.LogBytes,
            Fault = report.Status.Fault ?? fault,
            // The others serve.
            RecoveryNote = away.Count == 0 ? report.Status.RecoveryNote : string.Join("; ", away),
        };
        return report with
        {
            Status = status with { Logged = Math.Max(leader?.Logged ?? 0, reports.Max(r => r.Status.Applied)) },
            Recovering = reports.Exists(r => r.Recovering),
            Timings = PhaseTimings.Merge([.. reports.Select(r => r.Timings), leader?.Timings ?? []]),
        };
    }

    /// <inheritdoc/>
    public async ValueTask RebuildAsync(CancellationToken cancellation)
    {
        // One after the other: the others serve at full speed meanwhile.
        for (var i = 0; i < _replicas.Count; i++)
            await OrderAsync(i, ReplicaCall.Rebuild, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask CheckpointAsync(CancellationToken cancellation) => OrderAsync(0, ReplicaCall.Checkpoint, cancellation);

    private ValueTask<long> WriteAsync(
        ReadOnlyMemory<byte> operations, int count, TimeSpan? admission, TimeSpan patience, CancellationToken cancellation)
    {
        var batch = Guid.NewGuid();
        return TracedAsync(count, () => Patience.InsistAsync(
            retry => _leader.WriteAsync(batch, retry, operations, count, admission, cancellation), patience, WriterName, _time,
            cancellation));
    }

    /// <summary>A batch's part on its way to the log, as one span, however often it is sent.</summary>
    private async ValueTask<long> TracedAsync(int count, Func<ValueTask<long>> write)
    {
        using var activity = Telemetry.Activities.StartActivity("granary.partition.write");
        activity?.SetTag("granary.partition", Number).SetTag("granary.operations", count);
        try
        {
            var last = await write().ConfigureAwait(false);
            activity?.SetTag("granary.operation", last);
            return last;
        }
        catch (Exception e)
        {
            activity.Fail(e);
            throw;
        }
    }

    private async ValueTask OrderAsync(int replica, ReplicaCall call, CancellationToken cancellation)
    {
        await Patience.InsistAsync(
            async _ =>
            {
                CallWire.DecodeDone(await _replicas[replica].AskAsync(call, default, cancellation).ConfigureAwait(false));
                return true;
            },
            _options.MovePatience, $"Replica {replica} of partition {Number}", _time, cancellation).ConfigureAwait(false);
    }

    /// <summary>An answer, or why there is none.</summary>
    private async Task<(T? Answer, string? Error)> TryAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellation)
        where T : class
    {
        using var limit = new CancellationTokenSource(_options.ReportLimit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            return (await ask(either.Token).WaitAsync(either.Token).ConfigureAwait(false), null);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (null, $"no answer within {_options.ReportLimit.TotalSeconds:0.###} s");
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            return (null, e.Message);
        }
    }
}
