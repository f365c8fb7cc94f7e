namespace Granary.Collections.Partitions;

/// <summary>The newest batches that were appended, by name, so that one that comes again is answered without the log.</summary>
/// <param name="capacity">How many are remembered.</param>
internal sealed class RecentBatches(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, long> _last = [];
    private readonly Queue<Guid> _order = new();

    /// <summary>The batch's last operation, if it is remembered.</summary>
    public long? Find(Guid batch)
    {
        lock (_lock)
            return _last.TryGetValue(batch, out var last) ? last : null;
    }

    /// <summary>Remembers a batch; the oldest is forgotten.</summary>
    public void Add(Guid batch, long last)
    {
        lock (_lock)
        {
            if (!_last.TryAdd(batch, last))
                return;
            _order.Enqueue(batch);
            if (_order.Count > capacity)
                _last.Remove(_order.Dequeue());
        }
    }
}
