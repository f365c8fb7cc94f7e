using Granary.Collections.Ports;

namespace Granary.Storage.Memory;

/// <content>Damage that a test does, to be met by whoever opens the storage next.</content>
public sealed partial class MemoryStorage
{
    /// <summary>The sections of a checkpoint and their lengths in bytes.</summary>
    public IReadOnlyDictionary<string, int> SectionsOf(PartitionKey partition, long operation) =>
        Sections(partition, operation).ToDictionary(s => s.Key, s => s.Value.Length, StringComparer.Ordinal);

    /// <summary>Flips bits of one byte of a checkpoint; doing it again mends it.</summary>
    public void FlipByte(PartitionKey partition, long operation, string section, int offset) =>
        Sections(partition, operation)[section][offset] ^= 0x41;

    /// <summary>Takes the records from an operation on out of a partition's log, as a disk that broke its word.</summary>
    public void LoseLog(PartitionKey partition, long fromOperation)
    {
        var found = _contents.Partition(partition);
        lock (found.Lock)
        {
            found.Records = [.. found.Records.Where(r => r.LastOperation < fromOperation)];
            found.NextOperation = found.Records.Count == 0 ? 1 : found.Records[^1].LastOperation + 1;
        }
    }

    private IReadOnlyDictionary<string, byte[]> Sections(PartitionKey partition, long operation)
    {
        var found = _contents.Partition(partition);
        lock (found.Lock)
            return found.Checkpoints.Last(c => c.Info.Operation == operation).Sections;
    }
}
