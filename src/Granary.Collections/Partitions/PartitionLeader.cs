using System.Collections.Concurrent;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Writing;
using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>
/// The writing side of a partition whose replicas are in other processes. There should be one at a time; where there are two, each fences
/// the other with every append and none forks the log: who is fenced opens the log again, looks whether its batch is in there, and
/// appends it otherwise.
/// </summary>
public sealed partial class PartitionLeader : ILeaderPort, IAsyncDisposable
{
    /// <summary>How far back in the log a batch that is sent again is looked for, in operations.</summary>
    public const long RetryWindow = 100_000;

    /// <summary>
    /// For so long after its log was advanced by another writer a leader knows what that one appended. A request that was on its way here
    /// when this process stood still, or was cut off, may be among it: whoever sent it had no answer and sent it there.
    /// </summary>
    public static readonly TimeSpan OthersLifetime = TimeSpan.FromMinutes(10);

    private const int MostOthers = 100_000;

    /// <summary>How far back a leader looks when it is opened, in operations.</summary>
    private const long OpeningWindow = 20_000;

    private readonly IStorage _storage;
    private readonly PartitionKey _key;
    private readonly IFeed _feed;
    private readonly PhaseTimings _timings;
    private readonly TimeProvider _time;
    private readonly AdmissionGate _gate;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly ConcurrentDictionary<Guid, Task<long>> _underWay = new();
    private readonly RecentBatches _recent = new(10_000);
    private readonly ITimer _timer;
    private readonly Func<CancellationToken, ValueTask<bool>>? _exists;
    private volatile Epoch _epoch;
    private volatile IngestionSettings _settings;
    private volatile string? _refusal;
    private volatile Others? _others;
    private int _disposed;

    private PartitionLeader(IStorage storage, PartitionKey key, IngestionSettings ingestion, IFeed feed, PhaseTimings timings,
        TimeProvider time, IPartitionLog log, Func<CancellationToken, ValueTask<bool>>? exists)
    {
        (_storage, _key, _settings, _feed, _timings, _time, _exists) = (storage, key, ingestion, feed, timings, time, exists);
        _epoch = new Epoch(log, new PartitionWriter(key, log, feed, null, timings));
        // Until a replica has said how far it is, what was logged before counts as linked: one queue of operations gets in.
        _gate = new AdmissionGate(ingestion.QueueCapacity, log.NextOperation - 1, log.NextOperation - 1, time);
        _timer = time.CreateTimer(
            static state => ((PartitionLeader)state!).LookAround(), this, LookEvery, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The partition.</summary>
    public PartitionKey Key => _key;

    /// <summary>The newest operation this leader knows to be logged.</summary>
    public long Logged => _epoch.Writer.Logged;

    /// <summary>How the collection ingests; may be replaced at any time.</summary>
    public IngestionSettings Settings
    {
        get => _settings;
        set
        {
            _settings = value;
            _gate.Capacity = value.QueueCapacity;
        }
    }

    /// <summary>Opens a partition's log for writing, which fences whoever had it.</summary>
    /// <param name="storage">Where the log is.</param>
    /// <param name="key">The partition.</param>
    /// <param name="ingestion">How the collection ingests.</param>
    /// <param name="feed">Rung after each append; never waits, never throws.</param>
    /// <param name="timings">Where appends are timed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends the opening.</param>
    /// <param name="exists">Whether the collection is still there, asked before and after the log is opened; null: it is.</param>
    /// <exception cref="GranaryException">The collection was dropped, the storage cannot be reached, or the log is damaged.</exception>
    public static async ValueTask<PartitionLeader> OpenAsync(
        IStorage storage, PartitionKey key, IngestionSettings ingestion, IFeed feed, PhaseTimings timings, TimeProvider time,
        CancellationToken cancellation, Func<CancellationToken, ValueTask<bool>>? exists = null)
    {
        var log = await OpenLogAsync(storage, key, exists, cancellation).ConfigureAwait(false);
        var leader = new PartitionLeader(storage, key, ingestion, feed, timings, time, log, exists);
        try
        {
            // A process may stand still while it opens one, too.
            if (log.NextOperation > 1)
                await leader.RememberOthersAsync(log, Math.Max(1, log.NextOperation - OpeningWindow), cancellation).ConfigureAwait(false);
            return leader;
        }
        catch
        {
            await leader.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> WriteAsync(
        Guid batch, bool retry, ReadOnlyMemory<byte> operations, int count, TimeSpan? admission, CancellationToken cancellation) =>
        OnceAsync(
            batch, retry,
            async () =>
            {
                if (admission is { } limit)
                    await _gate.EnterAsync(count, limit, cancellation).ConfigureAwait(false);
                else
                    _gate.Force(count);
                return await AppendAsync(batch, operations, count).ConfigureAwait(false);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<LeaderState> StateAsync(CancellationToken cancellation)
    {
        var epoch = _epoch;
        return new(new LeaderState(epoch.Writer.Logged, epoch.Log.SizeInBytes, _gate.Depth, _refusal)
        {
            Timings = [_timings.Append.Snapshot()],
        });
    }

    /// <inheritdoc/>
    public async ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation)
    {
        try
        {
            await _epoch.Log.TruncateAsync(beforeOperation, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LogConflictException or ObjectDisposedException)
        {
            throw new GranaryException(ErrorKind.Unavailable, $"The log of partition {_key.Number} has another writer: {e.Message}", e);
        }
    }

    /// <summary>Lets the appends under way finish and closes the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _timer.DisposeAsync().ConfigureAwait(false);
        _gate.Fail(Closed());
        await _opening.WaitAsync().ConfigureAwait(false);
        try
        {
            _epoch.IsOver = true;
            await _epoch.Writer.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Appends a batch unless it is in the log already, or on its way there.</summary>
    private async ValueTask<long> OnceAsync(Guid batch, bool retry, Func<Task<long>> append, CancellationToken cancellation)
    {
        while (true)
        {
            ThrowIfClosed();
            if (_recent.Find(batch) is { } known)
                return known;
            var mine = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            var first = _underWay.GetOrAdd(batch, mine.Task);
            if (!ReferenceEquals(first, mine.Task))
            {
                try
                {
                    return await first.WaitAsync(cancellation).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    // Whoever sent it first went away before there was room.
                    retry = true;
                    continue;
                }
            }

            try
            {
                // It may have got in between looking and beginning.
                var last = _recent.Find(batch) ?? (retry ? await FindAsync(batch, cancellation).ConfigureAwait(false) : null)
                    ?? await append().ConfigureAwait(false);
                _recent.Add(batch, last);
                mine.SetResult(last);
                return last;
            }
            catch (OperationCanceledException)
            {
                mine.SetCanceled(CancellationToken.None);
                throw;
            }
            catch (Exception e)
            {
                mine.SetException(e);
                _ = mine.Task.Exception;
                throw;
            }
            finally
            {
                _underWay.TryRemove(batch, out _);
            }
        }
    }

    private async ValueTask<long?> FindAsync(Guid batch, CancellationToken cancellation)
    {
        var epoch = await CurrentAsync().ConfigureAwait(false);
        return await epoch.Log.FindBatchAsync(batch, Math.Max(1, epoch.Log.NextOperation - RetryWindow), cancellation)
            .ConfigureAwait(false);
    }

    /// <summary>Appends what the gate let in; gives the room back when it fails.</summary>
    private async Task<long> AppendAsync(Guid batch, ReadOnlyMemory<byte> operations, int count)
    {
        try
        {
            using var activity = Telemetry.Activities.StartActivity("granary.append");
            activity?.SetTag("granary.partition", _key.Number).SetTag("granary.operations", count);
            var epoch = await CurrentAsync().ConfigureAwait(false);
            if (_others?.Batches.Find(batch) is { } known)
            {
                // Counted with what the log grew by.
                _gate.Cancel(count);
                return known;
            }

            // Not later: the writer may find out by itself that the batch got in after all.
            var before = epoch.Writer.Logged;
            try
            {
                return await epoch.Writer.AppendAsync(operations, count, batch).ConfigureAwait(false);
            }
            catch (GranaryException e) when (IsOver(epoch, e))
            {
            }

            var next = await ReopenAsync(epoch).ConfigureAwait(false);
            if (await next.Log.FindBatchAsync(batch, before + 1, CancellationToken.None).ConfigureAwait(false) is { } last)
            {
                // The gate counted it once more with what the log grew by.
                if (last > epoch.Writer.Logged)
                    _gate.Cancel(count);
                return last;
            }

            return await next.Writer.AppendAsync(operations, count, batch).ConfigureAwait(false);
        }
        catch
        {
            _gate.Cancel(count);
            throw;
        }
    }

    /// <summary>Whether an append failed because its log has another writer now, is in doubt, or was closed to be opened again.</summary>
    private static bool IsOver(Epoch epoch, GranaryException e) =>
        epoch.IsOver || epoch.Writer.Fault is not null || e.InnerException is AppendInDoubtException
            || (e.Kind == ErrorKind.Internal && e.InnerException is not (null or GranaryException));

    private ValueTask<Epoch> CurrentAsync()
    {
        var epoch = _epoch;
        return epoch.IsOver || epoch.Writer.Fault is not null ? ReopenAsync(epoch) : new(epoch);
    }

    /// <summary>
    /// Opening makes what is missing: the log of a collection that was dropped would be there again, for nobody. Whoever drops one takes it
    /// out of the catalog first: a log that was made after its collection's went finds none there.
    /// </summary>
    private static async ValueTask<IPartitionLog> OpenLogAsync(
        IStorage storage, PartitionKey key, Func<CancellationToken, ValueTask<bool>>? exists, CancellationToken cancellation)
    {
        if (exists is null)
            return await storage.OpenLogAsync(key, cancellation).ConfigureAwait(false);
        if (!await exists(cancellation).ConfigureAwait(false))
            throw Dropped(key);
        var log = await storage.OpenLogAsync(key, cancellation).ConfigureAwait(false);
        try
        {
            if (await exists(cancellation).ConfigureAwait(false))
                return log;
            await storage.DropCollectionAsync(key.Incarnation, cancellation).ConfigureAwait(false);
            throw Dropped(key);
        }
        catch
        {
            await log.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static GranaryException Dropped(PartitionKey key) =>
        GranaryException.NotFound($"The log of {key} is gone: its collection was dropped.");

    /// <summary>Opens the log again, raising its epoch, unless somebody has done so since.</summary>
    private async ValueTask<Epoch> ReopenAsync(Epoch old)
    {
        await _opening.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(_epoch, old))
                return _epoch;
            ThrowIfClosed();
            old.IsOver = true;
            Telemetry.Cluster.Reopenings.Add();
            // What it acknowledged is counted before it is compared with the log.
            await old.Writer.DisposeAsync().ConfigureAwait(false);
            var log = await OpenLogAsync(_storage, _key, _exists, CancellationToken.None).ConfigureAwait(false);
            var writer = new PartitionWriter(_key, log, _feed, null, _timings);
            var others = writer.Logged - old.Writer.Logged;
            try
            {
                // Before anybody appends to the log as it is now, and no less than the writer counts as logged.
                if (others > 0)
                    await RememberOthersAsync(log, old.Writer.Logged + 1, CancellationToken.None).ConfigureAwait(false);
            }
            catch
            {
                await writer.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            _gate.Force((int)Math.Min(int.MaxValue, others));
            _refusal = null;
            return _epoch = new Epoch(log, writer);
        }
        catch (GranaryException e)
        {
            _refusal = e.Message;
            throw;
        }
        catch (Exception e)
        {
            _refusal = e.Message;
            throw new GranaryException(
                ErrorKind.Unavailable, $"Partition {_key.Number} is unavailable: its log cannot be opened ({e.Message})", e);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>
    /// What is in the log from one operation on, appended by another writer (or by this one, which did not learn of it). Of very much the
    /// oldest: what was on its way here was sent there first of all.
    /// </summary>
    private async ValueTask RememberOthersAsync(IPartitionLog log, long from, CancellationToken cancellation)
    {
        var batches = _others?.Batches ?? new RecentBatches(MostOthers);
        var left = MostOthers;
        await foreach (var (batch, last) in log.BatchesAsync(from, cancellation).ConfigureAwait(false))
        {
            if (left-- == 0)
                break;
            batches.Add(batch, last);
        }

        _others = new Others(batches, _time.GetTimestamp());
    }

    private void ThrowIfClosed()
    {
        if (Volatile.Read(ref _disposed) != 0)
            throw Closed();
    }

    private GranaryException Closed() => new(ErrorKind.Unavailable, $"Partition {_key.Number} is unavailable: its writer is being closed");

    /// <summary>What others appended, by batch id, and when this leader learnt of it.</summary>
    private sealed record Others(RecentBatches Batches, long Since);

    /// <summary>The log from one opening to the next.</summary>
    private sealed class Epoch(IPartitionLog log, PartitionWriter writer)
    {
        private volatile bool _isOver;

        public IPartitionLog Log { get; } = log;

        public PartitionWriter Writer { get; } = writer;

        public bool IsOver
        {
            get => _isOver;
            set => _isOver = value;
        }
    }
}
