using System.Runtime.InteropServices;
using Granary.Index.Operations;
using Granary.Index.Search;
using Granary.Index.Sparse;
using Granary.Index.Vectors;

namespace Granary.Index.Partition;

/// <summary>A field whose rows come from the vectors of operations.</summary>
internal abstract class VectorColumn(string name) : Field(name)
{
    /// <summary>Checks that a vector of an operation fits.</summary>
    /// <exception cref="GranaryException">It does not.</exception>
    public abstract void Check(in VectorView vector);

    /// <summary>Whether a row holds just this vector.</summary>
    public abstract bool Holds(int row, in VectorView vector);

    /// <summary>Adds a vector.</summary>
    public abstract int Add(in VectorView vector, int slot);

    /// <summary>A copy of a row.</summary>
    public abstract NamedVector Read(int row);

    /// <summary>Refuses NaN and infinities.</summary>
    protected void CheckFinite(in VectorView vector)
    {
        if (!LegChecks.AllFinite(vector.Values))
            throw GranaryException.BadInput($"Vector \"{Name}\" holds a value that is not a finite number");
    }

    /// <summary>Refuses a vector or row so long that its distances would not be numbers.</summary>
    protected void CheckLength(in VectorView vector, DenseVectorSchema schema)
    {
        if (!VectorNorm.Fits(schema.Distance, vector.Values, schema.Size))
            throw VectorNorm.TooLong($"Vector \"{Name}\"");
    }
}

/// <summary>A column over the rows of a field.</summary>
internal abstract class VectorColumn<TRows>(string name, TRows rows) : VectorColumn(name)
    where TRows : class, ISlotRows
{
    /// <inheritdoc/>
    public sealed override int RowCapacity => Rows.RowCapacity;

    /// <summary>The field.</summary>
    protected TRows Rows { get; } = rows;

    /// <inheritdoc/>
    protected override long FieldBytes => Rows.Bytes;

    /// <inheritdoc/>
    public sealed override int SlotOf(int row) => Rows.SlotOf(row);

    /// <inheritdoc/>
    public override void Forget(int row)
    {
    }

    /// <inheritdoc/>
    protected sealed override void DisposeField() => (Rows as IDisposable)?.Dispose();

    /// <inheritdoc/>
    protected sealed override void Retarget(int row, int slot) => Rows.Retarget(row, slot);

    /// <inheritdoc/>
    protected sealed override void Remove(int row) => Rows.Remove(row);
}

/// <summary>A dense vector.</summary>
internal sealed class DenseColumn(DenseField inner) : VectorColumn<DenseField>(inner.Schema.Name, inner)
{
    // What the marks may go on holding once a backlog is linked.
    private const int SmallBacklog = 1024;

    // Operations that added rows, and what Added was after each. Under its own lock; no concurrent queue, which would keep the room of
    // the longest backlog there ever was, megabytes of it.
    private readonly Queue<(long Operation, long Added)> _marks = new();
    private long _marked;

    /// <summary>The vectors.</summary>
    public DenseField Vectors => Rows;

    /// <summary>Which slots' vectors were computed from text.</summary>
    public ComputedMarks Computed { get; } = new();

    /// <inheritdoc/>
    protected override long FieldBytes => Rows.Bytes + Computed.Bytes;

    /// <inheritdoc/>
    public override void Check(in VectorView vector)
    {
        LegChecks.SameShape(VectorKind.Dense, vector.Kind, Name);
        LegChecks.SameSize(Rows.Schema.Size, vector.Size);
        CheckFinite(vector);
        CheckLength(vector, Rows.Schema);
    }

    /// <inheritdoc/>
    public override bool Holds(int row, in VectorView vector) => Rows.Holds(row, vector.Values);

    /// <inheritdoc/>
    public override int Add(in VectorView vector, int slot) => Rows.Add(vector.Values, slot);

    /// <inheritdoc/>
    public override NamedVector Read(int row) => new(Name, Rows.Vector(row).ToArray());

    /// <inheritdoc/>
    public override FieldImage Freeze()
    {
        var image = Rows.Freeze();
        return (stream, view) => Rows.Save(stream, image, row => view.SlotOf(this, row), view.GraphWritten);
    }

    /// <summary>Remembers what the operation added. Called by the applier before the operation is published.</summary>
    public void Mark(long operation)
    {
        if (Rows.Added == _marked)
            return;
        _marked = Rows.Added;
        lock (_marks)
            _marks.Enqueue((operation, _marked));
    }

    /// <summary>
    /// Says that of a field just read the pending rows may have been added by any operation from <paramref name="operation"/> on.
    /// </summary>
    public void MarkPending(long operation)
    {
        _marked = Rows.Added;
        if (Rows.Pending == 0)
            return;
        lock (_marks)
            _marks.Enqueue((operation, _marked));
    }

    /// <summary>The newest operation up to which all rows are linked, of those up to <paramref name="applied"/>.</summary>
    public long LinkedOperation(long applied)
    {
        lock (_marks)
        {
            while (_marks.TryPeek(out var mark))
            {
                if (mark.Added > Rows.LinkedAdds)
                    return Math.Min(applied, mark.Operation - 1);
                _marks.Dequeue();
            }

            if (_marks.Capacity > SmallBacklog)
                _marks.TrimExcess();
        }

        return applied;
    }

    /// <summary>Whether two vectors are the same to the bit.</summary>
    internal static bool Same(ReadOnlySpan<float> a, ReadOnlySpan<float> b) =>
        MemoryMarshal.AsBytes(a).SequenceEqual(MemoryMarshal.AsBytes(b));
}

/// <summary>A multi-vector.</summary>
internal sealed class MultiColumn(MultiField inner) : VectorColumn<MultiField>(inner.Schema.Name, inner)
{
    /// <summary>The matrices.</summary>
    public MultiField Matrices => Rows;

    /// <inheritdoc/>
    public override void Check(in VectorView vector)
    {
        LegChecks.SameShape(VectorKind.Multi, vector.Kind, Name);
        LegChecks.SameSize(Rows.Schema.Size, vector.Size);
        if (vector.Rows < 1)
            throw GranaryException.BadInput($"Vector \"{Name}\" is a matrix without rows");
        CheckFinite(vector);
        CheckLength(vector, Rows.Schema);
    }

    /// <inheritdoc/>
    public override bool Holds(int row, in VectorView vector)
    {
        var stored = Rows.Matrix(row);
        var size = Rows.Schema.Size;
        if (stored.Length != vector.Values.Length)
            return false;
        var scratch = new float[size];
        for (var i = 0; i < stored.Length; i += size)
        {
            VectorMath.Copy(vector.Values.Slice(i, size), Rows.Schema.Distance, scratch);
            if (!DenseColumn.Same(stored.Slice(i, size), scratch))
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override int Add(in VectorView vector, int slot) => Rows.Add(vector.Values, slot);

    /// <inheritdoc/>
    public override NamedVector Read(int row) => new(Name, Rows.Matrix(row).ToArray(), Rows.RowsOf(row));

    /// <inheritdoc/>
    public override FieldImage Freeze()
    {
        var rows = Rows.RowCapacity;
        return (stream, view) => Rows.Save(stream, rows, row => view.SlotOf(this, row));
    }
}

/// <summary>A sparse vector.</summary>
internal sealed class SparseColumn(SparseField inner) : VectorColumn<SparseField>(inner.Schema.Name, inner)
{
    /// <summary>The inverted index.</summary>
    public SparseField Postings => Rows;

    /// <inheritdoc/>
    public override void Check(in VectorView vector)
    {
        LegChecks.SameShape(VectorKind.Sparse, vector.Kind, Name);
        CheckFinite(vector);
        var indices = vector.Indices;
        for (var i = 1; i < indices.Length; i++)
        {
            if (indices[i] <= indices[i - 1])
                throw GranaryException.BadInput(
                    $"Sparse vector \"{Name}\": indices must be unique and ascending, got {indices[i - 1]} before {indices[i]}");
        }
    }

    /// <inheritdoc/>
    public override bool Holds(int row, in VectorView vector)
    {
        Rows.Get(row, out var indices, out var values);
        return indices.SequenceEqual(vector.Indices) && DenseColumn.Same(values, vector.Values);
    }

    /// <inheritdoc/>
    public override int Add(in VectorView vector, int slot) => Rows.Add(vector.Indices, vector.Values, slot);

    /// <inheritdoc/>
    public override NamedVector Read(int row)
    {
        Rows.Get(row, out var indices, out var values);
        return new NamedVector(Name, values.ToArray(), 0, indices.ToArray());
    }

    /// <inheritdoc/>
    public override void Forget(int row) => Rows.Forget(row);

    /// <inheritdoc/>
    public override FieldImage Freeze()
    {
        var rows = Rows.RowCapacity;
        // Forgotten is what had no living version: the point was deleted, or had another vector, or none.
        return (stream, view) => Rows.Save(stream, rows, row => view.SlotOf(this, row), (_, slot) => !view.Lived(slot));
    }
}
