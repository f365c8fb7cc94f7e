using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Granary.Index.Memory;

namespace Granary.Index.Partition;

/// <summary>
/// The versions of points: a slot each, with the id, the operations between which it is seen and the version before it. One
/// thread writes; readers that hold an epoch take no locks.
/// </summary>
/// <remarks>
/// A slot that is taken again gets its birth first and its death after, and readers read the death first: so a reader that meets
/// the slot while it changes hands sees it dead, or born after its snapshot.
/// </remarks>
internal sealed unsafe partial class SlotTable : IDisposable
{
    /// <summary>No slot.</summary>
    public const int None = -1;

    /// <summary>The death of a version that lives.</summary>
    public const long Never = long.MaxValue;

    private readonly RowArena _entries = new(sizeof(Entry));
    private readonly Queue<(int Slot, long Tag)> _free = new();
    private readonly EpochClock _epochs;
    private int _count;

    /// <summary>Makes an empty table.</summary>
    public SlotTable(EpochClock epochs) => _epochs = epochs;

    /// <summary>Slots are numbered below this.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Versions that live as of the newest operation, counted one by one.</summary>
    public long LiveCount
    {
        get
        {
            var live = 0L;
            for (var slot = 0; slot < _count; slot++)
                live += IsLive(slot) ? 1 : 0;
            return live;
        }
    }

    /// <summary>Bytes of the versions.</summary>
    public long EntryBytes => _entries.Bytes;

    /// <summary>Bytes held.</summary>
    public long Bytes => EntryBytes + ((long)_cells.Length * sizeof(int));

    /// <summary>Takes a slot for a new version that no reader sees before <paramref name="birth"/> is published.</summary>
    public int Take(PointId id, long birth, int previous)
    {
        int slot;
        if (_free.TryPeek(out var freed) && _epochs.HasPassed(freed.Tag))
        {
            slot = _free.Dequeue().Slot;
        }
        else
        {
            slot = _count;
            if (slot == int.MaxValue)
                throw new GranaryException(ErrorKind.InsufficientStorage, $"{slot} versions of points is the limit of a partition");
            _entries.Ensure(slot);
            At(slot).Death = 0;
        }

        ref var entry = ref At(slot);
        Volatile.Write(ref entry.Birth, birth);
        Span<byte> bytes = stackalloc byte[PointId.EncodedSize];
        id.Encode(bytes);
        bytes[1..].CopyTo(new Span<byte>(Unsafe.AsPointer(ref entry.Id[1]), PointId.EncodedSize - 1));
        entry.Previous = previous;

        // The kind says that the slot is taken, so it comes after the birth: whoever sees it sees since when.
        Volatile.Write(ref entry.Id[0], bytes[0]);
        Volatile.Write(ref entry.Death, Never);
        if (slot == _count)
            Volatile.Write(ref _count, slot + 1);
        return slot;
    }

    /// <summary>Ends a version: readers as of <paramref name="operation"/> do not see it.</summary>
    public void End(int slot, long operation) => Volatile.Write(ref At(slot).Death, operation);

    /// <summary>
    /// Takes a version that no reader sees any more out of the ids and out of the chain of its point; it is taken again once those
    /// who met it on the way have left.
    /// </summary>
    public void Release(int slot)
    {
        Unlink(slot);
        At(slot).Id[0] = (byte)PointIdKind.None;
        _free.Enqueue((slot, _epochs.Retire()));
    }

    /// <summary>The point a slot is a version of.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PointId IdOf(int slot) => PointId.Decode(IdBytes(slot));

    /// <summary>Whether the slot holds a version, be it dead.</summary>
    public bool IsTaken(int slot) => At(slot).Id[0] != (byte)PointIdKind.None;

    /// <summary>
    /// Whether the slot held a version, be it dead, after <paramref name="operation"/>; none was released since then.
    /// </summary>
    public bool WasTaken(int slot, long operation) =>
        Volatile.Read(ref At(slot).Id[0]) != (byte)PointIdKind.None && BirthOf(slot) <= operation;

    /// <summary>The version before this one of the same point; <see cref="None"/> when there is none, or no reader sees it.</summary>
    public int PreviousOf(int slot) => Volatile.Read(ref At(slot).Previous);

    /// <summary>The operation that made the version.</summary>
    public long BirthOf(int slot) => Volatile.Read(ref At(slot).Birth);

    /// <summary>Whether the version lives as of the newest operation.</summary>
    public bool IsLive(int slot) => At(slot).Death == Never && IsTaken(slot);

    /// <summary>Whether a reader as of <paramref name="snapshot"/> sees this version.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsVisible(int slot, long snapshot)
    {
        ref var entry = ref At(slot);
        return Volatile.Read(ref entry.Death) > snapshot && Volatile.Read(ref entry.Birth) <= snapshot;
    }

    /// <summary>Walks back from a version to the one a reader as of <paramref name="snapshot"/> sees; false when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryResolve(ref int slot, long snapshot)
    {
        while (true)
        {
            ref var entry = ref At(slot);
            var death = Volatile.Read(ref entry.Death);
            if (Volatile.Read(ref entry.Birth) <= snapshot)
                return death > snapshot;
            slot = Volatile.Read(ref entry.Previous);
            if (slot < 0)
                return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _entries.Dispose();

    // Every slot handed in was learnt from this table or a field after Ensure had given it memory.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Entry At(int slot) => ref *(Entry*)_entries.Row(slot);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> IdBytes(int slot) => new(Unsafe.AsPointer(ref At(slot).Id[0]), PointId.EncodedSize);

    // 40 bytes: the id's canonical encoding shares its last word with nothing, so that it can be compared in place.
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public long Birth;
        public long Death;
        public int Previous;
        public fixed byte Id[20];
    }
}
