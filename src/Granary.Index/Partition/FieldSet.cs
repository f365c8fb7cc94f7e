using System.Collections.Immutable;
using Granary.Index.Checkpoints;
using Granary.Index.Memory;
using Granary.Index.Sparse;
using Granary.Index.Text;
using Granary.Index.Vectors;

namespace Granary.Index.Partition;

/// <summary>The fields of one version of the schema. Immutable.</summary>
internal sealed class FieldSet
{
    private readonly Dictionary<string, Field> _byName;

    /// <summary>A set of fields.</summary>
    public FieldSet(ImmutableArray<Field> fields)
    {
        All = fields;
        Dense = [.. fields.OfType<DenseColumn>()];
        Vectors = [.. fields.OfType<VectorColumn>()];
        _byName = fields.ToDictionary(f => f.Name);
    }

    /// <summary>All fields: dense and multi, sparse, text, in the schema's order.</summary>
    public ImmutableArray<Field> All { get; }

    /// <summary>The fields that have graphs.</summary>
    public ImmutableArray<DenseColumn> Dense { get; }

    /// <summary>The fields that hold vectors.</summary>
    public ImmutableArray<VectorColumn> Vectors { get; }

    /// <summary>The field of that name, or null.</summary>
    public Field? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The position in <see cref="All"/> of the vector of that name; -1 when there is none.</summary>
    public int IndexOfVector(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < All.Length; i++)
        {
            if (All[i] is VectorColumn && name.SequenceEqual(All[i].NameUtf8))
                return i;
        }

        return -1;
    }

    /// <summary>Makes the fields of a schema, empty, or whatever <paramref name="make"/> gives.</summary>
    public static FieldSet Create(IndexSchema schema, EpochClock epochs, Func<string, Field?>? make = null)
    {
        var fields = ImmutableArray.CreateBuilder<Field>();
        foreach (var dense in schema.Dense)
        {
            fields.Add(make?.Invoke(dense.Name)
                ?? (dense.MultiVector ? new MultiColumn(new MultiField(dense, epochs)) : new DenseColumn(new DenseField(dense, epochs))));
        }

        foreach (var sparse in schema.Sparse)
            fields.Add(make?.Invoke(sparse.Name) ?? new SparseColumn(new SparseField(sparse, epochs)));
        foreach (var text in schema.Text)
            fields.Add(make?.Invoke(text.Name) ?? new TextColumn(new TextField(text, epochs)));
        return new FieldSet(fields.ToImmutable());
    }

    /// <summary>Reads the fields of a schema, each from the stream opened for its position, which <paramref name="map"/> may map.</summary>
    public static FieldSet Load(IndexSchema schema, EpochClock epochs, Func<int, Stream> open, Func<int, MappedSection?> map)
    {
        var fields = ImmutableArray.CreateBuilder<Field>();
        foreach (var dense in schema.Dense)
        {
            var position = fields.Count;
            using var stream = open(fields.Count);
            fields.Add(dense.MultiVector
                ? new MultiColumn(MultiField.Load(stream, dense, epochs))
                : new DenseColumn(DenseField.Load(stream, dense, epochs, () => map(position))));
        }

        foreach (var sparse in schema.Sparse)
        {
            using var stream = open(fields.Count);
            fields.Add(new SparseColumn(SparseField.Load(stream, sparse, epochs)));
        }

        foreach (var text in schema.Text)
        {
            using var stream = open(fields.Count);
            fields.Add(new TextColumn(TextField.Load(stream, text, epochs)));
        }

        return new FieldSet(fields.ToImmutable());
    }
}
