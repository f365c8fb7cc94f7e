using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Granary.Collections.Ports;

namespace Granary.Collections.Writing;

/// <summary>
/// The newest records of a log in memory, handed from the writer to an indexer in the same process, so that what was just
/// logged is not read back. It may miss records (then there is a gap, and the log is read); it never invents any.
/// </summary>
/// <param name="capacity">Operations kept at most; past it new records are left out.</param>
public sealed class LogTail(int capacity)
{
    private readonly ConcurrentQueue<Entry> _entries = new();
    private long _operations;

    /// <summary>When the oldest record in here was logged (ticks of <see cref="Stopwatch"/>); null when empty.</summary>
    public long? OldestTimestamp => _entries.TryPeek(out var entry) ? entry.Timestamp : null;

    /// <summary>Adds a record that was logged.</summary>
    public void Add(in LogRecord record)
    {
        if (Volatile.Read(ref _operations) >= capacity)
            return;
        Interlocked.Add(ref _operations, record.Count);
        _entries.Enqueue(new Entry(record, Stopwatch.GetTimestamp()));
    }

    /// <summary>Takes the record that holds an operation, if it is next; older records are let go. One caller at a time.</summary>
    public bool TryTake(long operation, [NotNullWhen(true)] out LogRecord? record, out long timestamp)
    {
        while (_entries.TryPeek(out var entry) && entry.Record.FirstOperation <= operation)
        {
            _entries.TryDequeue(out _);
            Interlocked.Add(ref _operations, -entry.Record.Count);
            if (entry.Record.LastOperation < operation)
                continue;
            (record, timestamp) = (entry.Record, entry.Timestamp);
            return true;
        }

        (record, timestamp) = (null, 0);
        return false;
    }

    private readonly record struct Entry(LogRecord Record, long Timestamp);
}
