using System.Runtime.InteropServices;
using System.Text.Json;
using Granary.Index;
using Granary.Index.Search;
using Granary.Index.Sparse;

namespace Granary.Collections.Querying;

/// <summary>Makes checked vectors of a field's kind out of a query's inputs.</summary>
internal sealed class VectorResolver(IndexSchema schema, ResolvedInputs resolved, string collection)
{
    /// <summary>The vector of an input; null when there is nothing to search with.</summary>
    public ExampleVector? Resolve(VectorInput input, string? @using, LookupLocation? lookup)
    {
        var field = @using ?? "";
        var dense = schema.FindDense(field);
        var sparse = dense is null ? schema.FindSparse(field) : null;
        if (dense is null && sparse is null)
            throw schema.FindText(field) is null
                ? Errors.VectorNotFound(field) : GranaryException.BadInput($"Text field '{field}' is searched by text only");
        var vector = input switch
        {
            DenseInput d => new ExampleVector(d.Values),
            MultiInput m => new ExampleVector(m.Values, m.Rows),
            SparseInput s => Sorted(s),
            PointInput p => resolved.Points[new PointReference(
                QueryReferences.CollectionOf(lookup, collection), QueryReferences.VectorOf(@using, lookup), p.Id)],
            TextInput t => OfText(t, dense),
            _ => throw GranaryException.BadInput($"Unknown query input {input.GetType().Name}"),
        };
        if (vector is not null)
            Check(vector, field, dense);
        return vector;
    }

    private ExampleVector? OfText(TextInput text, DenseVectorSchema? dense)
    {
        if (dense is not null)
            return resolved.Texts[(text.Model, text.Text)] is { Length: > 0 } values ? new ExampleVector(values) : null;
        if (text.Model is { } model && !Bm25Document.IsModel(model))
            throw GranaryException.BadInput($"Model '{model}' makes no sparse vectors; sparse vectors are made by qdrant/bm25");
        using var options = text.Options is { } json ? JsonDocument.Parse(json) : null;
        var terms = Bm25Document.Create(options?.RootElement).EmbedQuery(text.Text);
        return terms.Indices.Length == 0 ? null : new ExampleVector(terms.Values, 0, terms.Indices);
    }

    private static ExampleVector Sorted(SparseInput sparse)
    {
        if (sparse.Indices.Length != sparse.Values.Length)
            throw GranaryException.BadInput($"Sparse vector: {sparse.Indices.Length} indices but {sparse.Values.Length} values");
        var indices = sparse.Indices.ToArray();
        var values = sparse.Values.ToArray();
        Array.Sort(indices, values);
        for (var i = 1; i < indices.Length; i++)
        {
            if (indices[i] == indices[i - 1])
                throw GranaryException.BadInput($"Sparse vector: indices must be unique, {indices[i]} occurs twice");
        }

        return new ExampleVector(values, 0, indices);
    }

    private static void Check(ExampleVector vector, string field, DenseVectorSchema? dense)
    {
        var isSparse = vector.Rows == 0;
        if (isSparse != dense is null)
            throw GranaryException.BadInput($"Conversion between sparse and regular vectors failed: vector '{field}'");
        if (dense is not null)
        {
            if (vector.Rows > 1 && !dense.MultiVector)
                throw GranaryException.BadInput($"Conversion between multi and regular vectors failed: vector '{field}'");
            if (vector.Rows < 1 || vector.Values.Length % vector.Rows != 0 || vector.Values.Length / vector.Rows != dense.Size)
                throw Errors.WrongSize(dense.Size, vector.Values.Length / Math.Max(1, vector.Rows));
        }

        foreach (var value in vector.Values.Span)
        {
            if (!float.IsFinite(value))
                throw GranaryException.BadInput($"The query over vector '{field}' holds a value that is not a finite number");
        }
    }

    /// <summary>A stored vector as an example.</summary>
    public static ExampleVector Of(NamedVector vector) =>
        vector.Indices is { } indices
            ? new ExampleVector(vector.Values, 0, indices) : new ExampleVector(vector.Values, Math.Max(1, vector.Rows));

    /// <summary>An array without a copy, for legs.</summary>
    public static System.Collections.Immutable.ImmutableArray<T> Immutable<T>(ReadOnlyMemory<T> memory) =>
        MemoryMarshal.TryGetArray(memory, out var segment) && segment.Array is { } array && segment.Count == array.Length
            ? ImmutableCollectionsMarshal.AsImmutableArray(array)
            : ImmutableCollectionsMarshal.AsImmutableArray(memory.ToArray());
}
