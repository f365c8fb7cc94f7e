using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Granary.Index.Memory;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <summary>
/// The matrices of one multi-vector field, compared by MaxSim (Khattab and Zaharia, ColBERT, arXiv:2004.12832): the sum, over the query's
/// rows, of the best comparison with any of the matrix's rows; under Euclid and Manhattan of the smallest distance. Searched exactly.
/// One applier thread adds, retargets and removes; any number search, without locks, each inside an epoch it entered.
/// </summary>
public sealed unsafe partial class MultiField : ISlotRows, IDisposable
{
    private const int NoSlot = -1;
    private readonly EpochClock _epochs;
    private readonly RowArena _rows = new(sizeof(Entry));
    private readonly ConcurrentQueue<(int Row, long Tag)> _free = new();
    private int _rowCount;
    private long _live;
    private long _bytes;

    /// <summary>Makes an empty field.</summary>
    public MultiField(DenseVectorSchema schema, EpochClock epochs)
    {
        if (schema.Size is < 1 or > DenseVectorSchema.MaxSize)
            throw GranaryException.Validation(
                $"vectors.{schema.Name}.size: value {schema.Size} invalid, must be from 1 to {DenseVectorSchema.MaxSize}");
        Schema = schema;
        _epochs = epochs;
    }

    /// <summary>The schema it was made with.</summary>
    public DenseVectorSchema Schema { get; }

    /// <summary>Rows (matrices) are numbered below this.</summary>
    public int RowCapacity => Volatile.Read(ref _rowCount);

    /// <summary>Rows that belong to a slot.</summary>
    public long Live => Volatile.Read(ref _live);

    /// <summary>Unmanaged bytes.</summary>
    public long Bytes => _rows.Bytes + Volatile.Read(ref _bytes);

    /// <summary>Adds a matrix, given row after row, and returns its row in the field. Called by the applier.</summary>
    /// <exception cref="GranaryException">The matrix is empty or ragged.</exception>
    public int Add(ReadOnlySpan<float> matrix, int slot) => Add(matrix, slot, Schema.Distance == Distance.Cosine);

    /// <inheritdoc cref="DenseField.AddStored"/>
    internal int AddStored(ReadOnlySpan<float> matrix, int slot) => Add(matrix, slot, normalise: false);

    private int Add(ReadOnlySpan<float> matrix, int slot, bool normalise)
    {
        var distance = normalise ? Distance.Cosine : Distance.Dot;
        var count = VectorMath.CountRows(Schema.Size, matrix.Length);
        var row = TakeRow();
        ref var entry = ref At(row);
        entry.Values = (float*)NativeMemory.AlignedAlloc((nuint)matrix.Length * sizeof(float), 64);
        entry.Rows = count;
        _bytes += matrix.Length * sizeof(float);
        for (var i = 0; i < matrix.Length; i += Schema.Size)
            VectorMath.Copy(matrix.Slice(i, Schema.Size), distance, new Span<float>(entry.Values + i, Schema.Size));
        Volatile.Write(ref entry.Slot, slot);
        if (row == _rowCount)
            Volatile.Write(ref _rowCount, row + 1);
        Interlocked.Increment(ref _live);
        return row;
    }

    /// <inheritdoc cref="DenseField.Retarget"/>
    public void Retarget(int row, int slot) => Volatile.Write(ref At(row).Slot, slot);

    /// <summary>
    /// Removes a row that no reader can want any more; its memory is reused once the readers of now have left. Called by the applier.
    /// </summary>
    public void Remove(int row)
    {
        if (SlotOf(row) < 0)
            return;
        Volatile.Write(ref At(row).Slot, NoSlot);
        Interlocked.Decrement(ref _live);
        _free.Enqueue((row, _epochs.Retire()));
    }

    /// <inheritdoc cref="DenseField.SlotOf"/>
    public int SlotOf(int row) => Volatile.Read(ref At(row).Slot);

    /// <summary>How many vectors a matrix has.</summary>
    public int RowsOf(int row) => At(row).Rows;

    /// <summary>A matrix as stored, row after row. Valid until the row is removed and the reader's epoch ends.</summary>
    public ReadOnlySpan<float> Matrix(int row) => new(At(row).Values, At(row).Rows * Schema.Size);

    /// <summary>Frees all memory. No search may be running.</summary>
    public void Dispose()
    {
        FreeMatrices();
        _rows.Dispose();
    }

    private void FreeMatrices()
    {
        for (var row = 0; row < _rowCount; row++)
        {
            NativeMemory.AlignedFree(At(row).Values);
            At(row).Values = null;
        }

        _rowCount = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Entry At(int row) => ref *(Entry*)_rows.Row(row);

    private int TakeRow()
    {
        if (_free.TryPeek(out var freed) && _epochs.HasPassed(freed.Tag) && _free.TryDequeue(out freed))
        {
            ref var old = ref At(freed.Row);
            _bytes -= (long)old.Rows * Schema.Size * sizeof(float);
            NativeMemory.AlignedFree(old.Values);
            old.Values = null;
            return freed.Row;
        }

        _rows.Ensure(_rowCount);
        return _rowCount;
    }

    private struct Entry
    {
        public float* Values;
        public int Rows;
        public int Slot;
    }
}
