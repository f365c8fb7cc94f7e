using Granary.Index;

namespace Granary.Collections.Indexing;

/// <summary>
/// An index, counted by those who use it, so that a rebuilt index can take its place while readers of the old one finish.
/// </summary>
internal sealed class IndexHolder(PartitionIndex index)
{
    private int _users = 1;

    public PartitionIndex Index { get; } = index;

    /// <summary>Counts a user in; false when the index is gone already.</summary>
    public bool TryEnter()
    {
        for (var seen = Volatile.Read(ref _users); seen > 0;)
        {
            var before = Interlocked.CompareExchange(ref _users, seen + 1, seen);
            if (before == seen)
                return true;
            seen = before;
        }

        return false;
    }

    /// <summary>Counts a user (at last the owner) out; the last one frees the index.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            Index.Dispose();
    }
}

/// <summary>A reader of an index that may be replaced meanwhile. Must be disposed once.</summary>
public readonly struct ReaderLease : IDisposable
{
    private readonly IndexHolder _holder;

    internal ReaderLease(IndexHolder holder)
    {
        _holder = holder;
        try
        {
            Reader = holder.Index.OpenReader();
        }
        catch
        {
            holder.Leave();
            throw;
        }
    }

    /// <summary>The reader.</summary>
    public IndexReader Reader { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reader.Dispose();
        _holder.Leave();
    }
}
