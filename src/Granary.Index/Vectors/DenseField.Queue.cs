using System.Collections.Concurrent;

namespace Granary.Index.Vectors;

public sealed partial class DenseField
{
    private readonly ConcurrentQueue<(int Row, long Tag)> _free = new();
    private readonly ConcurrentQueue<int> _buried = new();
    private readonly Graph? _graph;

    // Rows in the order of their adds; the add with number n stands at n modulo the length while it is not linked.
    private int[] _queue = new int[1024];

    // Adds below this are not in the queue: it grew when they were linked. Written before the longer queue is.
    private long _queueFloor;
    private long _linked;

    /// <summary>How many adds, contiguous from the first, are linked (or need no linking, or were removed before it).</summary>
    public long LinkedAdds => _graph is null ? Added : Volatile.Read(ref _linked);

    /// <summary>Adds that are not linked yet.</summary>
    public int Pending
    {
        get
        {
            // In this order: linked never overtakes an added read after it.
            var linked = LinkedAdds;
            return (int)(Added - linked);
        }
    }

    /// <summary>Removed rows whose neighbours are not reconnected yet.</summary>
    public int Removed => _buried.Count + Volatile.Read(ref _deadCount);

    /// <summary>
    /// Whether <see cref="Link"/> has something to do: pending adds, enough removed rows to reconnect their neighbours, or rows to look for
    /// that nothing leads to.
    /// </summary>
    public bool LinkDue => Pending > 0 || (_graph is not null && (RepairDue || Volatile.Read(ref _checkDue)));

    /// <summary>For tests: called before a list is asked to take a row, with the row.</summary>
    internal Action<int>? LinkingBack { get; set; }

    private bool IsLinked(int row) => _graph is null || _graph.State(row) is RowState.Linked or RowState.Dead;

    // Called by the applier; the add becomes known when _added moves past it.
    private void Enqueue(int row)
    {
        _graph!.SetState(row, RowState.Pending);
        var queue = _queue;
        var linked = Volatile.Read(ref _linked);
        if (_added - linked == queue.Length)
        {
            var longer = new int[queue.Length * 2];
            for (var i = linked; i < _added; i++)
                longer[i & (longer.Length - 1)] = queue[i & (queue.Length - 1)];
            Volatile.Write(ref _queueFloor, linked);
            Volatile.Write(ref _queue, queue = longer);
        }

        Volatile.Write(ref queue[_added & (queue.Length - 1)], row);
    }

    /// <summary>
    /// Whether a queue read before still holds the adds from <paramref name="from"/> on: none fell out when it grew, and none was
    /// overwritten, not even by the add that is being made now, which is known only afterwards.
    /// </summary>
    private bool StillQueued(int[] queue, long from) => from >= Math.Max(Volatile.Read(ref _queueFloor), Added + 1 - queue.Length);

    private void Bury(int row)
    {
        Interlocked.Increment(ref _removedCount);
        _buried.Enqueue(row);
    }
}
