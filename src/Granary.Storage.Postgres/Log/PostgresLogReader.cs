using System.Runtime.CompilerServices;
using Granary.Collections.Ports;

namespace Granary.Storage.Postgres.Log;

/// <summary>Reads a partition's log beside its writer, wherever that is.</summary>
internal sealed class PostgresLogReader(LogTable table) : ILogReader
{
    private long _next = 1;
    private long _first = 1;
    private volatile bool _disposed;

    public long NextOperation => Volatile.Read(ref _next);

    public long FirstOperation => Volatile.Read(ref _first);

    public string? RecoveryNote => null;

    /// <summary>Adding it up would read the whole log with every look.</summary>
    public long SizeInBytes => 0;

    public async ValueTask<long> HeadAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var head = await table.HeadAsync(cancellation).ConfigureAwait(false);
        if (head is null && NextOperation > 1)
            throw table.Gone();
        if (head is not { } seen)
            return 1;
        Volatile.Write(ref _first, seen.First);
        Volatile.Write(ref _next, seen.Next);
        return seen.Next;
    }

    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Read(fromOperation, cancellation);
    }

    public IAsyncEnumerable<(Guid Batch, long Last)> BatchesAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return table.BatchesAsync(fromOperation, cancellation);
    }

    public ValueTask<long?> FindBatchAsync(Guid batch, long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return table.FindBatchAsync(batch, fromOperation, cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return default;
    }

    private async IAsyncEnumerable<LogRecord> Read(long from, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var next = await HeadAsync(cancellation).ConfigureAwait(false);
        if (from < FirstOperation)
            throw new LogTruncatedException(from, FirstOperation);
        await foreach (var record in table.ReadAsync(from, next, cancellation).ConfigureAwait(false))
            yield return record;
    }
}
