using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Memory;

/// <summary>A partition's log in memory.</summary>
internal sealed class MemoryLog(MemoryPartition partition, MemoryFaults faults) : IPartitionLog
{
    private readonly long _epoch = partition.Fence();
    private bool _disposed;

    public long NextOperation
    {
        get
        {
            lock (partition.Lock)
                return partition.NextOperation;
        }
    }

    public long FirstOperation
    {
        get
        {
            lock (partition.Lock)
                return partition.FirstOperation;
        }
    }

    public string? RecoveryNote => null;

    public long SizeInBytes
    {
        get
        {
            lock (partition.Lock)
                return partition.Bytes;
        }
    }

    public async ValueTask AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellation.ThrowIfCancellationRequested();
        if (records.Count == 0)
            return;
        if (faults.AppendGate is { } gate)
            await gate(partition.Key).ConfigureAwait(false);
        var fault = faults.NextAppend();
        if (fault == AppendFault.DiskFull)
            throw MemoryFaults.Full();
        if (fault == AppendFault.BeforeEffect)
            throw new GranaryException(ErrorKind.Internal, $"mem: append to {partition.Key} failed, as asked by a test");

        lock (partition.Lock)
        {
            CheckEpoch();
            var next = StorageRules.CheckAppend(records, partition.NextOperation);
            foreach (var record in records)
            {
                partition.Records.Add(record with { Operations = record.Operations.ToArray() });
                partition.Bytes += record.Operations.Length;
            }

            partition.NextOperation = next;
        }

        if (fault == AppendFault.AfterEffect)
            throw new IOException($"mem: the answer to an append to {partition.Key} was lost, as asked by a test");
    }

    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return partition.ReadAsync(fromOperation, cancellation);
    }

    public ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellation.ThrowIfCancellationRequested();
        lock (partition.Lock)
        {
            CheckEpoch();
            partition.Records = partition.Records[partition.Below(beforeOperation)..];
            partition.Bytes = partition.Records.Sum(r => (long)r.Operations.Length);
        }

        return default;
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return default;
    }

    private void CheckEpoch()
    {
        if (partition.Epoch != _epoch)
            throw new LogConflictException(
                $"The log of {partition.Key} was opened by another writer (epoch {partition.Epoch}, ours is {_epoch}).");
    }
}
