using Granary.Index.Partition;

namespace Granary.Index;

/// <content>Linking, which runs beside applying, and giving memory back.</content>
public sealed partial class PartitionIndex
{
    private const long NotRetired = 0;

    // Held while graphs are linked, so that none is written out or freed meanwhile. Neither readers nor applying wait for it.
    private readonly SemaphoreSlim _linking = new(1, 1);
    private readonly Queue<(int Slot, long Tag)> _retired = new();
    private readonly List<(Field Field, long Tag)> _dropped = [];

    /// <summary>Every operation up to this one is linked into the graphs.</summary>
    public long LinkedOperation
    {
        get
        {
            var published = Volatile.Read(ref _published);
            var linked = published.Operation;
            foreach (var dense in published.Fields.Dense)
                linked = Math.Min(linked, dense.LinkedOperation(published.Operation));
            return linked;
        }
    }

    /// <summary>Rows applied and not linked yet, over all dense fields.</summary>
    public int PendingLinks
    {
        get
        {
            var pending = 0;
            foreach (var dense in Volatile.Read(ref _published).Fields.Dense)
                pending += dense.Vectors.Pending;
            return pending;
        }
    }

    /// <summary>
    /// Whether <see cref="Link"/> has something to do: pending rows, or so many removed ones that the graph is to be repaired around
    /// them, for which no write needs to come.
    /// </summary>
    public bool LinkDue
    {
        get
        {
            foreach (var dense in Volatile.Read(ref _published).Fields.Dense)
            {
                if (dense.Vectors.LinkDue)
                    return true;
            }

            return false;
        }
    }

    /// <summary>
    /// Whether <see cref="Reclaim"/> has something left to free, which readers may still hold back. For the applying thread.
    /// </summary>
    public bool ReclaimDue => _dead.Count > 0 || _retired.Count > 0 || _dropped.Count > 0 || HasLeaving || RemakeDue;

    /// <summary>
    /// Whether each <see cref="Reclaim"/> has a piece of a text field to make anew, most of whose documents are gone. For the applying
    /// thread.
    /// </summary>
    public bool RemakeDue => FindRemake() is not null;

    /// <summary>
    /// Links up to <paramref name="max"/> pending rows, and repairs around deleted ones, on up to <paramref name="parallelism"/> threads.
    /// Returns how many rows were linked. One caller at a time.
    /// </summary>
    public int Link(int max, int parallelism, CancellationToken cancellation)
    {
        _linking.Wait(cancellation);
        try
        {
            var linked = 0;
            foreach (var field in Volatile.Read(ref _published).Fields.Dense)
                linked += field.Vectors.Link(max - linked, parallelism, cancellation);
            return linked;
        }
        finally
        {
            _linking.Release();
        }
    }

    /// <summary>
    /// Frees what deleted points held and no reader can see any more, and makes a piece of a text field anew where that is due. Called by
    /// the applying thread, between operations.
    /// </summary>
    public void Reclaim()
    {
        Remake();
        Retire();
        // An image that is being written tells what was there from what is there.
        if (Volatile.Read(ref _images) > 0)
            return;
        while (_retired.TryPeek(out var oldest) && _epochs.HasPassed(oldest.Tag))
            Release(_retired.Dequeue().Slot);
        if ((_dropped.Count > 0 || HasLeaving) && _linking.Wait(0))
        {
            try
            {
                FreeDropped();
                ReleaseLeaving();
            }
            finally
            {
                _linking.Release();
            }
        }
    }

    /// <summary>Sizes, for status and metrics.</summary>
    public IndexStatistics Statistics
    {
        get
        {
            // The epoch keeps a field that is being dropped.
            var ticket = _epochs.Enter();
            try
            {
                return Measure(Volatile.Read(ref _published));
            }
            finally
            {
                _epochs.Exit(ticket);
            }
        }
    }

    private IndexStatistics Measure(Published published)
    {
        long vectors = 0, pending = 0, removed = 0, bytes = 0;
        foreach (var field in published.Fields.Vectors)
        {
            bytes += field.Bytes;
            switch (field)
            {
                case DenseColumn dense:
                    vectors += dense.Vectors.Live;
                    pending += dense.Vectors.Pending;
                    removed += dense.Vectors.Removed;
                    break;
                case MultiColumn multi:
                    vectors += multi.Matrices.Live;
                    break;
                case SparseColumn sparse:
                    vectors += sparse.Postings.RowCount;
                    break;
            }
        }

        return new IndexStatistics(published.Points, vectors, Math.Max(0, vectors - pending), removed, bytes, _indexes.PointCounts);
    }

    private void MarkAdds(long operation)
    {
        foreach (var field in _fields.Dense)
            field.Mark(operation);
    }

    // The operations that ended these versions are published, so a reader that comes after the tag does not see them.
    private void Retire()
    {
        if (_dead.Count == 0 && !_dropped.Exists(d => d.Tag == NotRetired))
            return;
        var tag = _epochs.Retire();
        foreach (var slot in _dead)
            _retired.Enqueue((slot, tag));
        _dead.Clear();
        for (var i = 0; i < _dropped.Count; i++)
        {
            if (_dropped[i].Tag == NotRetired)
                _dropped[i] = (_dropped[i].Field, tag);
        }
    }

    private void Release(int slot)
    {
        foreach (var field in _fields.All)
            field.Release(slot);
        _indexes.Remove(slot, _payloads.Get(slot));
        _payloads.Free(slot);
        _slots.Release(slot);
    }

    private void FreeDropped()
    {
        for (var i = _dropped.Count - 1; i >= 0; i--)
        {
            if (_dropped[i].Tag == NotRetired || !_epochs.HasPassed(_dropped[i].Tag))
                continue;
            GiveUpOrder(_dropped[i].Field);
            _dropped[i].Field.Dispose();
            _dropped.RemoveAt(i);
        }
    }
}
