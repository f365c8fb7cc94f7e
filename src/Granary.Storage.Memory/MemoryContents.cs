using System.Collections.Concurrent;
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

    public long Bytes { get; set; }

    public long Epoch { get; private set; }

    public List<MemoryCheckpoint> Checkpoints { get; } = [];

    /// <summary>Raises the epoch, which fences every writer before.</summary>
    public long Fence()
    {
        lock (Lock)
            return ++Epoch;
    }
}

/// <summary>A published checkpoint.</summary>
internal sealed record MemoryCheckpoint(CheckpointInfo Info, IReadOnlyDictionary<string, byte[]> Sections);
