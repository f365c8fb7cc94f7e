using System.Runtime.CompilerServices;
using Granary.Index.Memory;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <summary>
/// The vectors of one dense field of a partition: float32 originals, int8 codes and an HNSW graph in unmanaged memory. One applier
/// thread adds, retargets and removes; one caller at a time links (in parallel inside); any number search, without locks, each inside
/// an epoch that it entered on the field's <see cref="EpochClock"/>: rows it can reach are not reused before it leaves.
/// </summary>
public sealed unsafe partial class DenseField : ISlotRows, IDisposable
{
    private const int NoSlot = -1;
    private readonly EpochClock _epochs;
    private readonly RowArena? _vectors;
    private readonly RowArena? _codes;
    private readonly RowArena _slots = new(sizeof(int));
    private readonly int _size;
    private readonly bool _euclid;
    private int _rowCount;
    private long _added;
    private long _live;

    /// <summary>Makes an empty field.</summary>
    public DenseField(DenseVectorSchema schema, EpochClock epochs)
    {
        if (schema.Size is < 1 or > DenseVectorSchema.MaxSize)
            throw GranaryException.Validation(
                $"vectors.{schema.Name}.size: value {schema.Size} invalid, must be from 1 to {DenseVectorSchema.MaxSize}");
        Schema = schema;
        _epochs = epochs;
        _size = schema.Size;
        _euclid = schema.Distance == Distance.Euclid;
        if (schema.Storage == VectorStorage.Int8 && schema.Distance == Distance.Manhattan)
            throw GranaryException.Validation($"vectors.{schema.Name}.storage: int8 does not go with the distance Manhattan");
        _vectors = KeepsOriginals ? new RowArena(_size * sizeof(float)) : null;

        // Manhattan has no form in dot products, so it walks on the originals.
        if (!KeepsOriginals
            || (schema.Storage == VectorStorage.Float32WithCodes && schema.Distance != Distance.Manhattan && schema.Hnsw.M > 0))
            _codes = new RowArena(RowCode.Stride(_size));
        _graph = schema.Hnsw.M > 0 ? new Graph(Math.Max(2, schema.Hnsw.M)) : null;
    }

    /// <summary>The schema it was made with.</summary>
    public DenseVectorSchema Schema { get; }

    /// <summary>Rows are numbered below this.</summary>
    public int RowCapacity => Volatile.Read(ref _rowCount);

    /// <summary>Rows that belong to a slot.</summary>
    public long Live => Volatile.Read(ref _live);

    /// <summary>Rows ever added.</summary>
    public long Added => Volatile.Read(ref _added);

    /// <summary>Unmanaged bytes.</summary>
    public long Bytes => (_vectors?.Bytes ?? 0) + (_codes?.Bytes ?? 0) + SignBytes + _slots.Bytes + (_graph?.Bytes ?? 0);

    /// <summary>
    /// Adds a vector and returns its row; it is findable on return. Cosine vectors are normalised here; one without length is stored as
    /// zero and scores 0. Called by the applier.
    /// </summary>
    /// <exception cref="GranaryException">The vector has not the field's size.</exception>
    public int Add(ReadOnlySpan<float> vector, int slot) => Add(vector, slot, Schema.Distance == Distance.Cosine);

    /// <summary>
    /// Adds a vector as another field of the same distance has it stored: normalising it again could change its last bit.
    /// </summary>
    internal int AddStored(ReadOnlySpan<float> vector, int slot) => Add(vector, slot, normalise: false);

    private int Add(ReadOnlySpan<float> vector, int slot, bool normalise)
    {
        VectorMath.CheckSize(_size, vector.Length);
        var row = TakeRow();
        Store(row, vector, normalise);
        Volatile.Write(ref Slot(row), slot);
        if (row == _rowCount)
            Volatile.Write(ref _rowCount, row + 1);
        Interlocked.Increment(ref _live);
        if (_graph is not null)
            Enqueue(row);
        Volatile.Write(ref _added, _added + 1);
        return row;
    }

    /// <summary>Gives a row to a newer slot, when a change left the vector as it was. Called by the applier.</summary>
    public void Retarget(int row, int slot) => Volatile.Write(ref Slot(row), slot);

    /// <summary>
    /// Removes a row that no reader can want any more: it is never returned from now on, walked through until its neighbours are
    /// reconnected by <see cref="Link"/>, and then reused. Called by the applier.
    /// </summary>
    public void Remove(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)_rowCount, nameof(row));
        if (SlotOf(row) < 0)
            return;
        Volatile.Write(ref Slot(row), NoSlot);
        Interlocked.Decrement(ref _live);
        if (_graph is null)
            _free.Enqueue((row, _epochs.Retire()));
        else
            Bury(row);
    }

    /// <summary>The newest slot a row belongs to; -1 when it was removed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SlotOf(int row) => Volatile.Read(ref Slot(row));

    /// <summary>Frees all memory. No search may be running.</summary>
    public void Dispose()
    {
        _vectors?.Dispose();
        _codes?.Dispose();
        _signs?.Dispose();
        _slots.Dispose();
        _graph?.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref int Slot(int row) => ref *(int*)_slots.Row(row);

    private int TakeRow()
    {
        if (_free.TryPeek(out var freed) && _epochs.HasPassed(freed.Tag) && _free.TryDequeue(out freed))
        {
            _graph?.Clear(freed.Row);
            return freed.Row;
        }

        var row = _rowCount;
        if (row == int.MaxValue)
            throw new GranaryException(ErrorKind.InsufficientStorage, $"vectors.{Schema.Name}: {row} rows is the limit of a partition");
        _vectors?.Ensure(row);
        _codes?.Ensure(row);
        _slots.Ensure(row);
        _graph?.AddRow(row);
        return row;
    }
}
