using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Granary.Collections.Ports;

namespace Granary.Storage.Memory;

/// <summary>What a disk would hold.</summary>
internal sealed class MemoryContents
{
    public ConcurrentDictionary<PartitionKey, MemoryPartition> Partitions { get; } = new();

    /// <summary>Guarded by itself.</summary>
    public SortedDictionary<string, CatalogEntry> Documents { get; } = new(StringComparer.Ordinal);

    public MemoryPartition Partition(PartitionKey key) => Partitions.GetOrAdd(key, k => new MemoryPartition(k));
}

/// <summary>A partition's records and checkpoints; guarded by <see cref="Lock"/>.</summary>
internal sealed class MemoryPartition(PartitionKey key)
{
    public PartitionKey Key { get; } = key;

    public Lock Lock { get; } = new();

    public List<LogRecord> Records { get; set; } = [];

    public long NextOperation { get; set; } = 1;

    /// <summary>The oldest operation still here. Called under the lock.</summary>
    public long FirstOperation => Records.Count > 0 ? Records[0].FirstOperation : NextOperation;

    public long Bytes { get; set; }

    public long Epoch { get; private set; }

    public List<MemoryCheckpoint> Checkpoints { get; } = [];

    /// <summary>Leases to serve reads, by engine: the replica and the timestamp at which they run out.</summary>
    public Dictionary<Guid, (int Replica, long Expires)> Leases { get; } = [];

    /// <summary>The newest checkpoint's bytes, or the log's while there is none.</summary>
    public long Size
    {
        get
        {
            lock (Lock)
                return Checkpoints.Count == 0 ? Bytes : Checkpoints.AsEnumerable().Reverse().MaxBy(c => c.Info.Operation)!.Info.SizeInBytes;
        }
    }

    /// <summary>Raises the epoch, which fences every writer before.</summary>
    public long Fence()
    {
        lock (Lock)
            return ++Epoch;
    }

    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        lock (Lock)
        {
            if (fromOperation < FirstOperation)
                throw new LogTruncatedException(fromOperation, FirstOperation);
            return ReadAsync([.. Records.Skip(Below(fromOperation))], cancellation);
        }
    }

    /// <summary>How many records lie wholly before an operation. Called under the lock.</summary>
    public int Below(long operation)
    {
        int low = 0, high = Records.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Records[middle].LastOperation < operation)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private static async IAsyncEnumerable<LogRecord> ReadAsync(LogRecord[] records, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var record in records)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return record;
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }
}

/// <summary>A published checkpoint.</summary>
internal sealed record MemoryCheckpoint(CheckpointInfo Info, IReadOnlyDictionary<string, byte[]> Sections);
