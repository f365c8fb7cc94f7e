using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Collections.Writing;

/// <summary>
/// The one writer of a partition's log. Batches that wait while an append is under way share the next one (group commit). Whoever
/// finds the writer idle drives it: a lone caller pays no thread switch, and a crowd is served from the pool.
/// </summary>
public sealed class PartitionWriter : IAsyncDisposable
{
    private const long MaxGroupBytes = 16L << 20;
    private readonly PartitionKey _key;
    private readonly IPartitionLog _log;
    private readonly IFeed _feed;
    private readonly LogTail? _tail;
    private readonly PhaseTimings _timings;
    private readonly ConcurrentQueue<Waiting> _queue = new();
    private readonly List<Waiting> _group = [];
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GranaryException? _fault;

    /// <summary>A group whose callers were told of a failure although it may have got in; settled before another is numbered.</summary>
    private LogRecord[]? _doubtful;
    private long _logged;
    private int _driving;
    private bool _closing;

    /// <summary>Writes to a log that was opened for writing; the writer owns it.</summary>
    /// <param name="key">The partition.</param>
    /// <param name="log">Its log.</param>
    /// <param name="feed">Rung after each append.</param>
    /// <param name="tail">Where records are handed to an indexer in this process; null for none.</param>
    /// <param name="timings">Where appends are timed.</param>
    public PartitionWriter(PartitionKey key, IPartitionLog log, IFeed feed, LogTail? tail, PhaseTimings timings)
    {
        (_key, _log, _feed, _tail, _timings) = (key, log, feed, tail, timings);
        _logged = log.NextOperation - 1;
    }

    /// <summary>The newest operation logged.</summary>
    public long Logged => Volatile.Read(ref _logged);

    /// <summary>Why nothing can be appended any more, or null.</summary>
    public string? Fault => _fault?.Message;

    /// <summary>Appends a batch of encoded operations; answers with the number of the last, once it is durable.</summary>
    /// <param name="operations">What an <c>OperationWriter</c> wrote; not changed by anybody from here on.</param>
    /// <param name="count">How many operations; at least 1.</param>
    /// <param name="batch">The batch's name in the log; null: one is made.</param>
    /// <exception cref="GranaryException">The storage refused, or the partition belongs to another writer now.</exception>
    public ValueTask<long> AppendAsync(ReadOnlyMemory<byte> operations, int count, Guid? batch = null)
    {
        if (Volatile.Read(ref _closing))
            return ValueTask.FromException<long>(Closed());
        return EnqueueAsync(operations, count, batch);
    }

    /// <summary>The rest of an append that found the writer open; it may have been closed since.</summary>
    internal ValueTask<long> EnqueueAsync(ReadOnlyMemory<byte> operations, int count, Guid? batch = null)
    {
        var waiting = new Waiting(operations, count, batch ?? Guid.NewGuid());
        _queue.Enqueue(waiting);
        if (Interlocked.CompareExchange(ref _driving, 1, 0) == 0)
            Drive();
        else if (_closed.Task.IsCompleted)
            FailRest();
        return waiting.Task;
    }

    /// <summary>Lets the appends under way finish and closes the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Interlocked.Exchange(ref _closing, true))
        {
            // An append that was queued before is served first: whoever drives closes when nothing is left.
            if (Interlocked.CompareExchange(ref _driving, 1, 0) == 0)
                Drive();
            await _closed.Task.ConfigureAwait(false);
            await _log.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Drive()
    {
        var round = RoundAsync();
        if (round.IsCompleted)
            Next();
        else
            round.GetAwaiter().UnsafeOnCompleted(Next);
    }

    private void Next()
    {
        if (_queue.IsEmpty)
        {
            if (Volatile.Read(ref _closing))
            {
                // An append that came between looking and closing sees that it closed, or is seen here.
                _closed.TrySetResult();
                FailRest();
                return;
            }

            Volatile.Write(ref _driving, 0);
            Interlocked.MemoryBarrier();
            if ((_queue.IsEmpty && !Volatile.Read(ref _closing)) || Interlocked.CompareExchange(ref _driving, 1, 0) != 0)
                return;
        }

        // The first driver answers its own caller; those who came meanwhile are served from the pool.
        ThreadPool.UnsafeQueueUserWorkItem(static writer => writer.Drive(), this, preferLocal: false);
    }

    private void FailRest()
    {
        while (_queue.TryDequeue(out var waiting))
            waiting.Fail(Closed());
    }

    /// <summary>One group commit. Never throws: failures go to those who wait.</summary>
    private async ValueTask RoundAsync()
    {
        var group = _group;
        group.Clear();
        long bytes = 0;
        while (bytes < MaxGroupBytes && _queue.TryDequeue(out var waiting))
        {
            group.Add(waiting);
            bytes += waiting.Operations.Length;
        }

        if (group.Count == 0)
            return;
        var records = new LogRecord[group.Count];
        try
        {
            if (_fault is not null)
                throw _fault;
            if (_doubtful is not null)
                await SettleAsync(_doubtful).ConfigureAwait(false);
            var next = Logged + 1;
            for (var i = 0; i < records.Length; i++)
            {
                records[i] = new LogRecord(next, group[i].Count, group[i].Batch, group[i].Operations);
                next += group[i].Count;
            }

            var started = Stopwatch.GetTimestamp();
            await AppendAsync(records).ConfigureAwait(false);
            var elapsed = Stopwatch.GetTimestamp() - started;
            _timings.Append.Record(elapsed);
            Telemetry.Appends.Record(elapsed * 1000.0 / Stopwatch.Frequency);
        }
        catch (Exception e)
        {
            var error = Explain(e);
            foreach (var waiting in group)
                waiting.Fail(error);
            group.Clear();
            return;
        }

        Publish(records);
        for (var i = 0; i < records.Length; i++)
            group[i].Succeed(records[i].LastOperation);
        group.Clear();
    }

    private async ValueTask AppendAsync(LogRecord[] records)
    {
        try
        {
            await _log.AppendAsync(records, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (LogConflictException or GranaryException))
        {
            // The commit may have happened although its answer was lost: the batch ids tell.
            _doubtful = records;
            if (!await IsLoggedAsync(records).ConfigureAwait(false))
                throw;
            _doubtful = null;
        }
    }

    /// <summary>
    /// Asks the log what became of a group in doubt. When it got in after all it is published like any other: its callers, who were told of
    /// a failure, may send it again.
    /// </summary>
    private async ValueTask SettleAsync(LogRecord[] doubtful)
    {
        var next = await _log.HeadAsync(CancellationToken.None).ConfigureAwait(false);
        if (next == doubtful[^1].LastOperation + 1 && await IsLoggedAsync(doubtful).ConfigureAwait(false))
            Publish(doubtful);
        else if (next != Logged + 1)
            throw new LogConflictException($"its next operation is {next}, {Logged + 1} was expected");
        _doubtful = null;
    }

    private void Publish(LogRecord[] records)
    {
        var (first, last) = (records[0].FirstOperation, records[^1].LastOperation);
        Telemetry.Logged.Add(last - Logged);
        foreach (var record in records)
            _tail?.Add(record);
        Volatile.Write(ref _logged, last);
        _feed.Ring(first, last);
    }

    private async ValueTask<bool> IsLoggedAsync(LogRecord[] records)
    {
        if (_log.NextOperation <= records[^1].LastOperation)
            return false;
        await foreach (var record in _log.ReadAsync(records[0].FirstOperation, CancellationToken.None).ConfigureAwait(false))
        {
            if (record.FirstOperation == records[0].FirstOperation)
                return record.BatchId == records[0].BatchId;
        }

        return false;
    }

    private GranaryException Explain(Exception e)
    {
        switch (e)
        {
            case GranaryException known:
                return known;
            case LogConflictException:
                _fault = new GranaryException(
                    ErrorKind.Unavailable, $"Partition {_key.Number} is unavailable: another writer owns its log ({e.Message})", e);
                return _fault;
            default:
                // Storage that is away cannot be asked what became of it: the caller may come again, by then the batch ids tell.
                if (_log.NextOperation == Logged + 1 && e is IOException lost)
                {
                    return new GranaryException(ErrorKind.Unavailable,
                        $"Partition {_key.Number} could not append to its log: {e.Message}", new AppendInDoubtException(lost));
                }

                if (_log.NextOperation == Logged + 1)
                    return new GranaryException(ErrorKind.Internal, $"Partition {_key.Number} could not append to its log: {e.Message}", e);
                // The log is ahead of what was acknowledged: numbering on would overwrite.
                _fault = new GranaryException(
                    ErrorKind.Unavailable, $"Partition {_key.Number} is unavailable: its log is in doubt ({e.Message})", e);
                return _fault;
        }
    }

    private GranaryException Closed() => new(ErrorKind.Unavailable, $"Partition {_key.Number} is unavailable: it is being closed");

    /// <summary>A batch and the caller who waits for it.</summary>
    private sealed class Waiting : IValueTaskSource<long>
    {
        private ManualResetValueTaskSourceCore<long> _core = new() { RunContinuationsAsynchronously = true };

        public Waiting(ReadOnlyMemory<byte> operations, int count, Guid batch) =>
            (Operations, Count, Batch) = (operations, count, batch);

        public ReadOnlyMemory<byte> Operations { get; }

        public int Count { get; }

        public Guid Batch { get; }

        public ValueTask<long> Task => new(this, _core.Version);

        public void Succeed(long operation) => _core.SetResult(operation);

        public void Fail(Exception e) => _core.SetException(e);

        public long GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
