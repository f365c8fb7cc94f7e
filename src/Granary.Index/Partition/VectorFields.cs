using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Granary.Index.Operations;
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

/// <summary>A dense vector.</summary>
internal sealed class DenseColumn(DenseField inner) : VectorColumn(inner.Schema.Name)
{
    private float[] _scratch = [];

    // Operations that added rows, and what Added was after each.
    private readonly ConcurrentQueue<(long Operation, long Added)> _marks = new();
    private long _marked;

    /// <summary>The vectors.</summary>
    public DenseField Vectors => inner;

    /// <summary>Which slots' vectors were computed from text.</summary>
    public ComputedMarks Computed { get; } = new();

    /// <inheritdoc/>
    public override int RowCapacity => inner.RowCapacity;

    /// <inheritdoc/>
    protected override long FieldBytes => inner.Bytes + Computed.Bytes;

    /// <inheritdoc/>
    public override int SlotOf(int row) => inner.SlotOf(row);

    /// <inheritdoc/>
    public override void Check(in VectorView vector)
    {
        LegChecks.SameShape(VectorKind.Dense, vector.Kind, Name);
        LegChecks.SameSize(inner.Schema.Size, vector.Size);
        CheckFinite(vector);
        CheckLength(vector, inner.Schema);
    }

    /// <inheritdoc/>
    public override bool Holds(int row, in VectorView vector)
    {
        if (inner.Schema.Distance != Distance.Cosine)
            return Same(inner.Vector(row), vector.Values);
        if (_scratch.Length == 0)
            _scratch = new float[inner.Schema.Size];
        VectorMath.Copy(vector.Values, Distance.Cosine, _scratch);
        return Same(inner.Vector(row), _scratch);
    }

    /// <inheritdoc/>
    public override int Add(in VectorView vector, int slot) => inner.Add(vector.Values, slot);

    /// <inheritdoc/>
    public override NamedVector Read(int row) => new(Name, inner.Vector(row).ToArray());

    /// <inheritdoc/>
    public override void Forget(int row)
    {
    }

    /// <inheritdoc/>
    public override FieldImage Freeze()
    {
        var image = inner.Freeze();
        return (stream, view) => inner.Save(stream, image, row => view.SlotOf(this, row), view.GraphWritten);
    }

    /// <summary>Remembers what the operation added. Called by the applier before the operation is published.</summary>
    public void Mark(long operation)
    {
        if (inner.Added == _marked)
            return;
        _marked = inner.Added;
        _marks.Enqueue((operation, _marked));
    }

    /// <summary>
    /// Says that of a field just read the pending rows may have been added by any operation from <paramref name="operation"/> on.
    /// </summary>
    public void MarkPending(long operation)
    {
        _marked = inner.Added;
        if (inner.Pending > 0)
            _marks.Enqueue((operation, _marked));
    }

    /// <summary>The newest operation up to which all rows are linked, of those up to <paramref name="applied"/>.</summary>
    public long LinkedOperation(long applied)
    {
        lock (_marks)
        {
            while (_marks.TryPeek(out var mark))
            {
                if (mark.Added > inner.LinkedAdds)
                    return Math.Min(applied, mark.Operation - 1);
                _marks.TryDequeue(out _);
            }
        }

        return applied;
    }

    /// <summary>Whether two vectors are the same to the bit.</summary>
    internal static bool Same(ReadOnlySpan<float> a, ReadOnlySpan<float> b) =>
        MemoryMarshal.AsBytes(a).SequenceEqual(MemoryMarshal.AsBytes(b));

    /// <inheritdoc/>
    protected override void DisposeField() => inner.Dispose();

    /// <inheritdoc/>
    protected override void Retarget(int row, int slot) => inner.Retarget(row, slot);

    /// <inheritdoc/>
    protected override void Remove(int row) => inner.Remove(row);
}

/// <summary>A multi-vector.</summary>
internal sealed class MultiColumn(MultiField inner) : VectorColumn(inner.Schema.Name)
{
    /// <summary>The matrices.</summary>
    public MultiField Matrices => inner;

    /// <inheritdoc/>
    public override int RowCapacity => inner.RowCapacity;

    /// <inheritdoc/>
    protected override long FieldBytes => inner.Bytes;

    /// <inheritdoc/>
    public override int SlotOf(int row) => inner.SlotOf(row);

    /// <inheritdoc/>
    public override void Check(in VectorView vector)
    {
        LegChecks.SameShape(VectorKind.Multi, vector.Kind, Name);
        LegChecks.SameSize(inner.Schema.Size, vector.Size);
        if (vector.Rows < 1)
            throw GranaryException.BadInput($"Vector \"{Name}\" is a matrix without rows");
        CheckFinite(vector);
        CheckLength(vector, inner.Schema);
    }

    /// <inheritdoc/>
    public override bool Holds(int row, in VectorView vector)
    {
        var stored = inner.Matrix(row);
        var size = inner.Schema.Size;
        if (stored.Length != vector.Values.Length)
            return false;
        var scratch = new float[size];
        for (var i = 0; i < stored.Length; i += size)
        {
            VectorMath.Copy(vector.Values.Slice(i, size), inner.Schema.Distance, scratch);
            if (!DenseColumn.Same(stored.Slice(i, size), scratch))
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override int Add(in VectorView vector, int slot) => inner.Add(vector.Values, slot);

    /// <inheritdoc/>
    public override NamedVector Read(int row) => new(Name, inner.Matrix(row).ToArray(), inner.RowsOf(row));

    /// <inheritdoc/>
    public override void Forget(int row)
    {
    }

    /// <inheritdoc/>
    public override FieldImage Freeze()
    {
        var rows = inner.RowCapacity;
        return (stream, view) => inner.Save(stream, rows, row => view.SlotOf(this, row));
    }

    /// <inheritdoc/>
    protected override void DisposeField() => inner.Dispose();

    /// <inheritdoc/>
    protected override void Retarget(int row, int slot) => inner.Retarget(row, slot);

    /// <inheritdoc/>
    protected override void Remove(int row) => inner.Remove(row);
}

/// <summary>A sparse vector.</summary>
internal sealed class SparseColumn(SparseField inner) : VectorColumn(inner.Schema.Name)
{
    /// <summary>The inverted index.</summary>
    public SparseField Postings => inner;

    /// <inheritdoc/>
    public override int RowCapacity => inner.RowCapacity;

    /// <inheritdoc/>
    protected override long FieldBytes => inner.Bytes;

    /// <inheritdoc/>
    public override int SlotOf(int row) => inner.SlotOf(row);

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
        inner.Get(row, out var indices, out var values);
        return indices.SequenceEqual(vector.Indices) && DenseColumn.Same(values, vector.Values);
    }

    /// <inheritdoc/>
    public override int Add(in VectorView vector, int slot) => inner.Add(vector.Indices, vector.Values, slot);

    /// <inheritdoc/>
    public override NamedVector Read(int row)
    {
        inner.Get(row, out var indices, out var values);
        return new NamedVector(Name, values.ToArray(), 0, indices.ToArray());
    }

    /// <inheritdoc/>
    public override void Forget(int row) => inner.Forget(row);

    /// <inheritdoc/>
    public override FieldImage Freeze()
    {
        var rows = inner.RowCapacity;
        // Forgotten is what had no living version: the point was deleted, or had another vector, or none.
        return (stream, view) => inner.Save(stream, rows, row => view.SlotOf(this, row), (_, slot) => !view.Lived(slot));
    }

    /// <inheritdoc/>
    protected override void DisposeField()
    {
    }

    /// <inheritdoc/>
    protected override void Retarget(int row, int slot) => inner.Retarget(row, slot);

    /// <inheritdoc/>
    protected override void Remove(int row) => inner.Remove(row);
}
