using Granary.Collections.Ports;

namespace Granary.Storage.Memory;

/// <summary>Leases in memory. A partition's leases and its log's head change under one lock, so each renewal sees both as of one
/// moment.</summary>
internal sealed class MemoryLeaseStore(MemoryContents contents, TimeProvider time, Func<bool> disposed) : ILeaseStore
{
    public ValueTask<IReadOnlyList<long>> RenewAsync(
        IReadOnlyList<LeaseRequest> requests, TimeSpan duration, CancellationToken cancellation)
    {
        Check(cancellation);
        var heads = new long[requests.Count];
        for (var i = 0; i < heads.Length; i++)
        {
            if (!contents.Partitions.TryGetValue(requests[i].Partition, out var partition))
                continue;
            lock (partition.Lock)
            {
                partition.Leases[requests[i].Instance] = (requests[i].Replica, time.GetTimestamp() + (long)(duration.TotalSeconds
                    * time.TimestampFrequency));
                heads[i] = partition.NextOperation;
            }
        }

        return new(heads);
    }

    public ValueTask<IReadOnlyList<LeaseHolder>> HoldersAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Check(cancellation);
        if (!contents.Partitions.TryGetValue(partition, out var found))
            return new([]);
        lock (found.Lock)
        {
            var now = time.GetTimestamp();
            foreach (var (instance, lease) in found.Leases)
            {
                if (lease.Expires <= now)
                    found.Leases.Remove(instance);
            }

            return new([.. found.Leases.Select(l => new LeaseHolder(l.Key, l.Value.Replica, time.GetElapsedTime(now, l.Value.Expires)))]);
        }
    }

    public ValueTask ReleaseAsync(IReadOnlyList<LeaseRequest> requests, CancellationToken cancellation)
    {
        Check(cancellation);
        foreach (var request in requests)
        {
            if (!contents.Partitions.TryGetValue(request.Partition, out var partition))
                continue;
            lock (partition.Lock)
                partition.Leases.Remove(request.Instance);
        }

        return default;
    }

    private void Check(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(disposed(), typeof(MemoryStorage));
    }
}
