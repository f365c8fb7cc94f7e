using Granary.Collections.Diagnostics;
using Granary.Collections.Indexing;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Wire;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Partitions;

/// <summary>
/// The reading side of a partition whose replicas are in other processes: asks the nearest that serves, another one when that takes
/// unusually long or fails, and says what was wrong with each when none is left.
/// </summary>
internal sealed class RemotePartitionSearch : IPartitionSearch, IOpenPartition
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);
    private static readonly ReadOptions Any = new() { Strong = false };
    private readonly PartitionKey _key;
    private readonly IReadOnlyList<IReplicaPort> _replicas;
    private readonly RemotePartitionOptions _options;
    private readonly TimeProvider _time;
    private readonly ReplicaChooser _chooser;
    private long _points;

    public RemotePartitionSearch(
        PartitionKey key, IReadOnlyList<IReplicaPort> replicas, RemotePartitionOptions options, TimeProvider time)
    {
        (_key, _replicas, _options, _time) = (key, replicas, options, time);
        _chooser = new ReplicaChooser(replicas, options, time);
    }

    /// <inheritdoc/>
    public int Number => _key.Number;

    /// <inheritdoc/>
    public long EstimatedPoints
    {
        get => Near(Any) is { } near ? near.EstimatedPoints : Volatile.Read(ref _points);
        set => Volatile.Write(ref _points, value);
    }

    /// <inheritdoc/>
    public bool IsNear => Near(Any) is not null;

    /// <inheritdoc/>
    public bool TryOpen(ReadOptions read, out ReaderLease lease)
    {
        lease = default;
        var options = Explicit(read);
        return Near(options) is IOpenPartition near && near.TryOpen(options, out lease);
    }

    /// <inheritdoc/>
    public ValueTask<PartitionAnswer> SearchAsync(PartitionRequest request, CancellationToken cancellation)
    {
        var asked = request.Read.Strong is null ? request with { Read = Explicit(request.Read) } : request;
        return ReadAsync(
            near => near.SearchAsync(asked, cancellation), ReplicaCall.Search, () => SearchWire.Encode(asked), SearchWire.DecodeAnswer,
            asked.Read, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<StatisticsAnswer> StatisticsAsync(StatisticsRequest request, ReadOptions read, CancellationToken cancellation)
    {
        var options = Explicit(read);
        return ReadAsync(
            near => near.StatisticsAsync(request, options, cancellation), ReplicaCall.Statistics,
            () => CallWire.Encode(new StatisticsCall(request, options)), StatisticsWire.DecodeAnswer, options, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
        IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions read, CancellationToken cancellation)
    {
        var options = Explicit(read);
        return ReadAsync<IReadOnlyList<PointRecord>>(
            near => near.FetchAsync(ids, selection, options, cancellation), ReplicaCall.Fetch,
            () => CallWire.Encode(new FetchCall(ids, selection, options)), static m => PointWire.DecodePoints(m), options, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<long> CountAsync(Filter? filter, bool exact, ReadOptions read, CancellationToken cancellation)
    {
        var options = Explicit(read);
        var count = await ReadAsync(
            near => near.CountAsync(filter, exact, options, cancellation), ReplicaCall.Count,
            () => CallWire.Encode(new CountCall(filter, exact, options)), CallWire.DecodeNumber, options, cancellation)
            .ConfigureAwait(false);
        if (filter is null)
            EstimatedPoints = count;
        return count;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions read, CancellationToken cancellation)
    {
        var options = Explicit(read);
        return ReadAsync<IReadOnlyList<FacetHit>>(
            near => near.FacetAsync(key, filter, limit, exact, options, cancellation), ReplicaCall.Facet,
            () => CallWire.Encode(new FacetCall(key, filter, limit, exact, options)), static m => SearchWire.DecodeFacets(m), options,
            cancellation);
    }

    /// <summary>
    /// Asks replicas one after the other until one answers; several at once where <paramref name="hedged"/>: then who could not answer is
    /// asked again while another one keeps silent, which may stand still for as long as nobody finds out.
    /// </summary>
    public async ValueTask<T> AskAsync<T>(
        ReplicaCall call, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, T> decode, bool hedged, CancellationToken cancellation)
    {
        var order = _chooser.Order();
        var running = new List<Attempt<T>>(2);
        var failed = new List<(int Replica, Exception Error)>();
        var pause = FirstPause;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            for (var next = 0; ;)
            {
                if (running.Count == 0)
                {
                    if (next == order.Length)
                        throw NoneLeft(failed);
                    if (next > 0)
                        Telemetry.Cluster.Failovers.Add();
                    running.Add(Begin(order[next++], call, request, decode, hedge: false, over.Token));
                }

                if (hedged && next < order.Length && !running.Exists(a => a.Task.IsCompleted))
                {
                    var hedges = await AreSilentAsync(_chooser.HedgeAfter(running[^1].Replica)).ConfigureAwait(false);
                    // There were many already, as when a process stands still. One that takes so long is worth another all the same.
                    if (hedges && !_chooser.TryHedge())
                        hedges = await AreSilentAsync(_options.MostHedge).ConfigureAwait(false);
                    if (hedges)
                    {
                        Telemetry.Cluster.Hedges.Add();
                        running.Add(Begin(order[next++], call, request, decode, hedge: true, over.Token));
                        continue;
                    }
                }

                var passing = hedged && next == order.Length ? failed.FindIndex(f => Patience.IsPassing(f.Error, cancellation)) : -1;
                if (passing >= 0 && !running.Exists(a => a.Task.IsCompleted) && await AreSilentAsync(pause).ConfigureAwait(false))
                {
                    pause = Longer(pause);
                    running.Add(Begin(failed[passing].Replica, call, request, decode, hedge: true, over.Token));
                    failed.RemoveAt(passing);
                    continue;
                }

                await Task.WhenAny(running.Select(a => a.Task)).ConfigureAwait(false);
                var ended = running.Find(a => a.Task.IsCompleted)!;
                running.Remove(ended);
                try
                {
                    var answer = await ended.Task.ConfigureAwait(false);
                    _chooser.Took(ended.Replica, _time.GetElapsedTime(ended.Started), answered: true);
                    return answer;
                }
                catch (Exception e) when (IsOfReplica(e, cancellation))
                {
                    if (e is not GranaryException { Kind: ErrorKind.Timeout })
                        _chooser.Failed(ended.Replica);
                    failed.Add((ended.Replica, e));
                }
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            foreach (var loser in running)
            {
                _chooser.Took(loser.Replica, _time.GetElapsedTime(loser.Started), answered: false);
                Forget(loser.Task);
            }
        }

        // Whether none of those that run has ended after so long.
        async Task<bool> AreSilentAsync(TimeSpan time)
        {
            var late = Task.Delay(time, _time, over.Token);
            await Task.WhenAny([late, .. running.Select(a => a.Task)]).ConfigureAwait(false);
            return late.IsCompletedSuccessfully && !running.Exists(a => a.Task.IsCompleted);
        }
    }

    /// <summary>Whether another replica may answer where this one did not.</summary>
    private static bool IsOfReplica(Exception e, CancellationToken cancellation) => Patience.IsPassing(e, cancellation)
        || e is GranaryException { Kind: ErrorKind.Timeout or ErrorKind.Internal or ErrorKind.Corrupted };

    /// <summary>The reading side of a replica in this process that can answer at once; null: there is none.</summary>
    private IPartitionSearch? Near(ReadOptions read)
    {
        for (var i = 0; i < _replicas.Count; i++)
        {
            if (_replicas[i].Near(read) is { } near)
                return near;
        }

        return null;
    }

    /// <summary>
    /// Reads from the replica in this process where there is one that answers at once: neither wire nor hedging, which would only take the
    /// processor's time from it. Otherwise, or when it cannot, replicas are asked.
    /// </summary>
    private async ValueTask<T> ReadAsync<T>(
        Func<IPartitionSearch, ValueTask<T>> ask, ReplicaCall call, Func<byte[]> encode, Func<ReadOnlyMemory<byte>, T> decode,
        ReadOptions read, CancellationToken cancellation)
    {
        if (Near(read) is { } near)
        {
            var started = _time.GetTimestamp();
            using var activity = Telemetry.Activities.StartActivity("granary.partition.read");
            activity?.SetTag("granary.partition", Number).SetTag("granary.call", call.ToString());
            try
            {
                var answer = await ask(near).ConfigureAwait(false);
                Answered(call, started);
                return answer;
            }
            catch (Exception e) when (IsOfReplica(e, cancellation) && e is not GranaryException { Kind: ErrorKind.Timeout })
            {
                // Its lease ran out a moment ago, or it is being closed.
            }
        }

        return await ReadAsync(call, encode(), decode, read, cancellation).ConfigureAwait(false);
    }

    private async ValueTask<T> ReadAsync<T>(
        ReplicaCall call, byte[] request, Func<ReadOnlyMemory<byte>, T> decode, ReadOptions read, CancellationToken cancellation)
    {
        if (read.Timeout is not { } limit)
            return await InsistAsync(call, request, decode, cancellation).ConfigureAwait(false);
        using var late = new CancellationTokenSource(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            return await InsistAsync(call, request, decode, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new GranaryException(ErrorKind.Timeout, $"Partition {Number} had no answer within {limit.TotalSeconds:0.###} s");
        }
    }

    /// <summary>Asks again while no replica serves: that passes when one has moved, or caught up.</summary>
    public async ValueTask<T> InsistAsync<T>(
        ReplicaCall call, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, T> decode, CancellationToken cancellation)
    {
        long? failed = null;
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            try
            {
                return await AskAsync(call, request, decode, hedged: true, cancellation).ConfigureAwait(false);
            }
            catch (GranaryException e) when (e.Kind == ErrorKind.Unavailable)
            {
                // Not from the beginning: to learn that nobody answers may have taken longer than that.
                failed ??= _time.GetTimestamp();
                if (_time.GetElapsedTime(failed.Value) + pause > _options.ReadPatience)
                    throw;
            }

            await Task.Delay(pause, _time, cancellation).ConfigureAwait(false);
        }
    }

    private Attempt<T> Begin<T>(
        int replica, ReplicaCall call, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, T> decode, bool hedge,
        CancellationToken cancellation)
    {
        var started = _time.GetTimestamp();
        return new Attempt<T>(replica, started, OneAsync());

        async Task<T> OneAsync()
        {
            using var activity = Telemetry.Activities.StartActivity("granary.partition.read");
            activity?.SetTag("granary.partition", Number).SetTag("granary.replica", replica).SetTag("granary.call", call.ToString())
                .SetTag("granary.hedge", hedge);
            try
            {
                // A port may be slow to notice that it was cancelled.
                var answer = await _replicas[replica].AskAsync(call, request, cancellation).AsTask().WaitAsync(cancellation)
                    .ConfigureAwait(false);
                Answered(call, started);
                return decode(answer);
            }
            catch (Exception e)
            {
                activity.Fail(e);
                throw;
            }
        }
    }

    private void Answered(ReplicaCall call, long started)
    {
        if (Telemetry.ReplicaCalls.Enabled)
        {
            Telemetry.ReplicaCalls.Record(
                _time.GetElapsedTime(started).TotalMilliseconds, new KeyValuePair<string, object?>("call", call.ToString()));
        }
    }

    private ReadOptions Explicit(ReadOptions read) => read.Strong is null ? read with { Strong = _options.StrongReads } : read;

    private GranaryException NoneLeft(List<(int Replica, Exception Error)> failed)
    {
        // What another replica would answer alike is told as it is.
        if (failed.Count > 0 && failed.TrueForAll(f => f.Error is GranaryException { Kind: not ErrorKind.Unavailable }))
            return (GranaryException)failed[^1].Error;
        var reasons = failed.OrderBy(f => f.Replica).Select(f => $"replica {f.Replica}: {f.Error.Message}");
        return new GranaryException(
            ErrorKind.Unavailable, $"Partition {Number} is unavailable: no replica answers ({string.Join("; ", reasons)})",
            failed.Count > 0 ? failed[^1].Error : null);
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    private static void Forget(Task task) => task.ContinueWith(
        static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private sealed record Attempt<T>(int Replica, long Started, Task<T> Task);
}
