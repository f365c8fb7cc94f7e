using System.Text.Json.Nodes;
using Granary.Index;

namespace Granary.Collections;

/// <summary>Vectors as a create-collection body declares them, for collections whose maker declared nothing.</summary>
public static class DeclaredSchema
{
    /// <summary>The dense vectors: the settings themselves where the only one has no name, an object by name otherwise.</summary>
    public static JsonObject Vectors(IndexSchema schema) => schema.Dense is [{ Name: "" } only]
        ? Vector(only)
        : new JsonObject(schema.Dense.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)Vector(v))));

    /// <summary>The sparse vectors by name.</summary>
    public static JsonObject Sparse(IndexSchema schema) =>
        new(schema.Sparse.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)Sparse(v))));

    /// <summary>A sparse vector.</summary>
    public static JsonObject Sparse(SparseVectorSchema vector) => vector.Idf ? new JsonObject { ["modifier"] = "idf" } : [];

    /// <summary>A dense vector.</summary>
    public static JsonObject Vector(DenseVectorSchema vector)
    {
        var json = new JsonObject { ["size"] = vector.Size, ["distance"] = vector.Distance.ToString() };
        var standard = new HnswSettings();
        if (vector.Hnsw != standard)
        {
            var hnsw = new JsonObject { ["m"] = vector.Hnsw.M, ["ef_construct"] = vector.Hnsw.EfConstruct };
            if (vector.Hnsw.Ef != standard.Ef)
                hnsw["ef"] = vector.Hnsw.Ef;
            if (vector.Hnsw.FullScanThreshold != standard.FullScanThreshold)
                hnsw["full_scan_points"] = vector.Hnsw.FullScanThreshold;
            json["hnsw_config"] = hnsw;
        }

        if (vector.Storage == VectorStorage.Float32)
            json["storage"] = "float32";
        if (vector.Storage == VectorStorage.Int8)
            json["storage"] = "int8";
        if (vector.OnDisk)
            json["on_disk"] = true;
        if (vector.MultiVector)
            json["multivector_config"] = new JsonObject { ["comparator"] = "max_sim" };
        return json;
    }
}
