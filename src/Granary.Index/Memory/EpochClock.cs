using System.Runtime.InteropServices;

namespace Granary.Index.Memory;

/// <summary>
/// Epoch-based reclamation (Fraser, "Practical lock-freedom", 2004): readers announce the epoch they began in; what a writer
/// retires is freed only when every reader that could have seen it has left. Readers take no locks.
/// </summary>
public sealed class EpochClock
{
    private const int Slots = 256;
    private readonly Cell[] _cells = new Cell[Slots];
    private long _epoch = 1;

    /// <summary>Begins reading. The returned ticket must be given to <see cref="Exit"/> exactly once; any thread may do so.</summary>
    public int Enter()
    {
        var start = Environment.CurrentManagedThreadId;
        var spin = new SpinWait();
        while (true)
        {
            for (var i = 0; i < Slots; i++)
            {
                var slot = (start + i) & (Slots - 1);
                if (Volatile.Read(ref _cells[slot].Epoch) == 0
                    && Interlocked.CompareExchange(ref _cells[slot].Epoch, Volatile.Read(ref _epoch), 0) == 0)
                {
                    // The epoch may have advanced between the read and the exchange: an older announcement only delays reclamation.
                    return slot;
                }
            }

            spin.SpinOnce();
        }
    }

    /// <summary>Ends reading.</summary>
    public void Exit(int ticket) => Volatile.Write(ref _cells[ticket].Epoch, 0);

    /// <summary>
    /// Called after something was made unreachable for new readers: returns a tag; once <see cref="HasPassed"/> says so of it,
    /// no reader that could have seen the thing is left.
    /// </summary>
    public long Retire() => Interlocked.Increment(ref _epoch) - 1;

    /// <summary>Whether every reader that was there when the tag was given has left.</summary>
    public bool HasPassed(long tag) => OldestActive() > tag;

    /// <summary>The oldest epoch a reader is in; <see cref="long.MaxValue"/> when there is none.</summary>
    public long OldestActive()
    {
        Interlocked.MemoryBarrier();
        var oldest = long.MaxValue;
        for (var i = 0; i < Slots; i++)
        {
            var epoch = Volatile.Read(ref _cells[i].Epoch);
            if (epoch != 0 && epoch < oldest)
                oldest = epoch;
        }

        return oldest;
    }

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Cell
    {
        [FieldOffset(0)]
        public long Epoch;
    }
}
