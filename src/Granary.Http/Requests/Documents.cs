using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index.Operations;
using Granary.Index.Sparse;

namespace Granary.Http.Requests;

/// <summary>Text, images and objects in the place of a vector.</summary>
internal static class Documents
{
    /// <summary>Writes what BM25 makes of a document.</summary>
    public static void WriteSparse(OperationWriter operations, string name, JsonFields document, List<uint> indices, List<float> values)
    {
        var (text, model) = Read(document);
        if (!Bm25Document.IsModel(model))
            throw NoModelForPoints(document);
        var vector = Bm25Document.Create(document["options"]).EmbedDocument(text);
        indices.Clear();
        values.Clear();
        indices.AddRange(vector.Indices);
        values.AddRange(vector.Values);
        SparseVectors.Write(operations, name, indices, values, "vector");
    }

    /// <summary>A document of a query.</summary>
    public static VectorInput ReadQuery(JsonFields document)
    {
        if (document["text"] is null)
            throw NoModelForPoints(document);
        var (text, model) = Read(document);
        return new TextInput(text, model.Length == 0 ? null : model) { Options = document["options"]?.GetRawText() };
    }

    /// <summary>The error that nothing here embeds this for a point.</summary>
    public static ApiException NoModelForPoints(JsonFields document)
    {
        foreach (var kind in (ReadOnlySpan<string>)["image", "object"])
        {
            if (document[kind] is not null)
                return new ApiException(400, $"`{kind}` inputs are not supported: only text can be embedded");
        }

        return document["text"] is null
            ? ApiException.Format("data did not match any variant of untagged enum Vector")
            : new ApiException(400, $"Model `{document.Text("model")}` does not make the vector of a point from a document in the request: "
                + "use `qdrant/bm25` for a sparse vector, or the collection's `embeddings` for a dense one");
    }

    private static (string Text, string Model) Read(JsonFields document)
    {
        if (document["text"] is null)
            throw NoModelForPoints(document);
        var text = document.Text("text")!;
        var model = document.Text("model");
        if (model is { Length: 0 })
            throw ApiException.Invalid("model", "value \"\" invalid, must be at least 1 characters");
        return (text, model ?? "");
    }
}
