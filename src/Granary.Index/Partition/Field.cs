using System.Runtime.CompilerServices;
using Granary.Index.Memory;

namespace Granary.Index.Partition;

/// <summary>A field of a partition and its column: which row of the field each slot has.</summary>
internal abstract unsafe class Field(string name) : IDisposable
{
    /// <summary>The slot has no row.</summary>
    public const int NoRow = -1;

    // The slot's row is being added. Until it is known no older version may be taken for the owner of it.
    private const int Adding = -2;
    private readonly RowArena _column = new(sizeof(int));
    private volatile bool _shifted;

    /// <summary>The field's name.</summary>
    public string Name { get; } = name;

    /// <summary>The name in UTF-8.</summary>
    public byte[] NameUtf8 { get; } = System.Text.Encoding.UTF8.GetBytes(name);

    /// <summary>One more than the largest row.</summary>
    public abstract int RowCapacity { get; }

    /// <summary>Bytes held, the column's included.</summary>
    public long Bytes => ColumnBytes + FieldBytes;

    /// <summary>Bytes of the column.</summary>
    public long ColumnBytes => _column.Bytes;

    /// <summary>Bytes of the field itself.</summary>
    protected abstract long FieldBytes { get; }

    /// <summary>The row of a slot, or <see cref="NoRow"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int RowOf(int slot) => Volatile.Read(ref Cell(slot));

    /// <summary>The newest slot of a row; negative when it was removed.</summary>
    public abstract int SlotOf(int row);

    /// <summary>Gives memory to a new slot, which has no row yet.</summary>
    public virtual void Open(int slot)
    {
        _column.Ensure(slot);
        Cell(slot) = NoRow;
    }

    /// <summary>Says that a row is about to be added to a slot.</summary>
    public void Expect(int slot) => Volatile.Write(ref Cell(slot), Adding);

    /// <summary>Whether every slot that was ever given a row was given the row of its own number.</summary>
    public bool RowsAreSlots => !_shifted;

    /// <summary>Says which row was added to a slot.</summary>
    public virtual void Set(int slot, int row)
    {
        if (row >= 0 && row != slot)
            _shifted = true;
        Volatile.Write(ref Cell(slot), row);
    }

    /// <summary>Gives a row to the next version of its point.</summary>
    public void Move(int row, int slot)
    {
        Set(slot, row);
        Retarget(row, slot);
    }

    /// <summary>The row's point is deleted, or has another row now; old readers may see it still.</summary>
    public abstract void Forget(int row);

    /// <summary>Removes a slot's row, unless a newer version took it over. No reader sees the slot any more.</summary>
    public void Release(int slot)
    {
        var row = RowOf(slot);
        if (row >= 0 && SlotOf(row) == slot)
            Remove(row);
        Set(slot, NoRow);
    }

    /// <summary>Takes what the field counts now, to be written later. Called by the applier, while linking is held back.</summary>
    public abstract FieldImage Freeze();

    /// <summary>Fills the column from the rows, after the field was read.</summary>
    public void Restore(SlotTable slots)
    {
        for (var slot = 0; slot < slots.Count; slot++)
            Open(slot);
        for (var row = 0; row < RowCapacity; row++)
        {
            var slot = SlotOf(row);
            if (slot >= slots.Count)
                throw new GranaryException(ErrorKind.Corrupted, $"{Name}: row {row} belongs to slot {slot} of {slots.Count}");
            if (slot >= 0)
                Set(slot, row);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _column.Dispose();
        DisposeField();
    }

    /// <summary>Frees the field's memory.</summary>
    protected abstract void DisposeField();

    /// <summary>Says that a row belongs to a newer slot.</summary>
    protected abstract void Retarget(int row, int slot);

    /// <summary>Removes a row.</summary>
    protected abstract void Remove(int row);

    // Every slot handed in was opened, here or by Restore.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref int Cell(int slot) => ref *(int*)_column.Row(slot);
}
