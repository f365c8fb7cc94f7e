using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;

namespace Granary.Http.Requests;

/// <summary>Changes of a collection's settings.</summary>
internal static class CollectionPatch
{
    /// <summary>Applies the body of an update.</summary>
    public static CollectionConfig Apply(CollectionConfig config, JsonFields body)
    {
        CollectionBody.CheckOptimizers(body.Object("optimizers_config"));
        CollectionBody.ReadHnsw(body.Object("hnsw_config"));
        StrictMode.StrictModeSettings.Check(body.Object("strict_mode_config"));
        if (body["quantization_config"] is { ValueKind: System.Text.Json.JsonValueKind.Object } quantization)
            CollectionBody.CheckQuantization(quantization, "quantization_config");
        var declared = config.Declared.ToBuilder();
        foreach (var key in (ReadOnlySpan<string>)["optimizers_config", "hnsw_config", "strict_mode_config", "metadata"])
        {
            if (body.Object(key) is not { } change)
                continue;
            var merged = Node(declared.GetValueOrDefault(key));
            Merge(merged, JsonText.Object(change.Element), removeNulls: key == "metadata");
            declared[key] = merged.ToJsonString();
        }

        Quantization(declared, body);
        if (body.Object("params") is { } parameters)
            Parameters(declared, parameters);
        var schema = config.Schema;
        if (body.Object("vectors") is { } vectors)
            Vectors(declared, vectors, config);
        if (body.Object("sparse_vectors") is { } sparse)
            schema = Sparse(declared, sparse, config);
        var changed = config with { Declared = declared.ToImmutable(), Schema = schema };
        return body["hnsw_config"] is null && body["vectors"] is null ? changed : changed with { Schema = Redeclared(changed) };
    }

    /// <summary>
    /// The schema with the settings of dense vectors that are declared now; those whose graph settings changed are linked anew, and where
    /// originals are served from changes with the next checkpoint or start.
    /// </summary>
    private static IndexSchema Redeclared(CollectionConfig config) => config.Schema with
    {
        Dense = [.. config.Schema.Dense.Select(vector => vector with
        {
            OnDisk = DeclaredVectors.OnDisk(config, vector.Name) ?? vector.OnDisk,
            Hnsw = vector.Hnsw with
            {
                M = (int?)DeclaredVectors.Hnsw(config, vector.Name, "m") ?? vector.Hnsw.M,
                EfConstruct = (int?)DeclaredVectors.Hnsw(config, vector.Name, "ef_construct") ?? vector.Hnsw.EfConstruct,
            },
        })],
    };

    /// <summary>Adds a vector: <c>{"dense": {...}}</c> or <c>{"sparse": {...}}</c>.</summary>
    public static CollectionConfig AddVector(CollectionConfig config, string name, JsonFields body)
    {
        if (config.Schema.FindDense(name) is not null || config.Schema.FindSparse(name) is not null
            || config.Schema.FindText(name) is not null)
            throw new GranaryException(ErrorKind.Conflict, $"Vector `{name}` already exists!");
        var schema = config.Schema;
        string section;
        JsonFields settings;
        if (body.Object("dense") is { } dense)
        {
            var common = config.Declared.TryGetValue("hnsw_config", out var json)
                ? CollectionBody.ReadHnsw(new JsonFields(System.Text.Json.JsonElement.Parse(json), "hnsw_config")) : new HnswSettings();
            schema = schema with { Dense = schema.Dense.Add(CollectionBody.ReadVector(name, dense, common)) };
            (section, settings) = ("vectors", dense);
        }
        else if (body.Object("sparse") is { } sparse)
        {
            schema = schema with { Sparse = schema.Sparse.Add(CollectionBody.ReadSparseVector(name, sparse)) };
            (section, settings) = ("sparse_vectors", sparse);
        }
        else
        {
            throw ApiException.Format("data did not match any variant of untagged enum VectorNameConfig");
        }

        var named = section == "vectors" ? DeclaredVectors.Dense(config) : DeclaredVectors.Sparse(config);
        if (named.ContainsKey("size") && named["size"] is JsonValue)
            named = new JsonObject { [""] = named.DeepClone() };
        named[name] = CollectionBody.WithoutNulls(JsonText.Object(settings.Element));
        return config with { Schema = schema, Declared = config.Declared.SetItem(section, named.ToJsonString()) };
    }

    /// <summary>Removes a vector.</summary>
    public static CollectionConfig DropVector(CollectionConfig config, string name)
    {
        var schema = config.Schema with
        {
            Dense = config.Schema.Dense.RemoveAll(v => v.Name == name),
            Sparse = config.Schema.Sparse.RemoveAll(v => v.Name == name),
        };
        if (schema.Dense.Length == config.Schema.Dense.Length && schema.Sparse.Length == config.Schema.Sparse.Length)
            throw Errors.VectorNotFound(name);
        var declared = config.Declared;
        foreach (var section in (ReadOnlySpan<string>)["vectors", "sparse_vectors"])
        {
            if (!declared.TryGetValue(section, out var json))
                continue;
            var named = Node(json);
            if (name.Length == 0 && named["size"] is JsonValue)
                named = [];
            else
                named.Remove(name);
            declared = declared.SetItem(section, named.ToJsonString());
        }

        return config with { Schema = schema, Declared = declared, Embeddings = config.Embeddings.RemoveAll(e => e.Vector == name) };
    }

    private static void Quantization(System.Collections.Immutable.ImmutableDictionary<string, string>.Builder declared, JsonFields body)
    {
        switch (body["quantization_config"])
        {
            case { ValueKind: System.Text.Json.JsonValueKind.Object } value:
                declared["quantization_config"] = CollectionBody.WithoutNulls(JsonText.Object(value))!.ToJsonString();
                break;
            case { ValueKind: System.Text.Json.JsonValueKind.String }:
                body.Word("quantization_config", "Disabled");
                declared.Remove("quantization_config");
                break;
        }
    }

    private static void Parameters(System.Collections.Immutable.ImmutableDictionary<string, string>.Builder declared, JsonFields parameters)
    {
        parameters.Int("replication_factor", 1);
        parameters.Int("write_consistency_factor", 1);
        parameters.Flag("on_disk_payload");
        if (parameters.Object("payload") is { } payload)
            CollectionBody.CheckPlacement(payload);
        parameters.Count("read_fan_out_factor");
        var merged = Node(declared.GetValueOrDefault("params"));
        Merge(merged, JsonText.Object(parameters.Element), removeNulls: false);
        declared["params"] = merged.ToJsonString();
    }

    private static void Vectors(System.Collections.Immutable.ImmutableDictionary<string, string>.Builder declared, JsonFields vectors,
        CollectionConfig config)
    {
        var shown = DeclaredVectors.Dense(config);
        foreach (var vector in vectors.Element.EnumerateObject())
        {
            if (config.Schema.FindDense(vector.Name) is null)
                throw Errors.VectorNotFound(vector.Name);
            var change = new JsonFields(vector.Value, $"vectors.{vector.Name}");
            CollectionBody.ReadHnsw(change.Object("hnsw_config"));
            if (change["quantization_config"] is { ValueKind: System.Text.Json.JsonValueKind.Object } quantization)
                CollectionBody.CheckQuantization(quantization, change.PathOf("quantization_config"));
            change.Flag("on_disk");
            CollectionBody.CheckPlacement(change);
            var target = vector.Name.Length == 0 && shown["size"] is JsonValue ? shown : shown[vector.Name]!.AsObject();
            // A quantization is replaced as a whole: one kind's settings mean nothing to another.
            if (change["quantization_config"] is not null)
                target.Remove("quantization_config");
            Merge(target, JsonText.Object(vector.Value), removeNulls: false);
            if (target["quantization_config"] is JsonValue)
                target.Remove("quantization_config");
        }

        declared["vectors"] = shown.ToJsonString();
    }

    private static IndexSchema Sparse(System.Collections.Immutable.ImmutableDictionary<string, string>.Builder declared,
        JsonFields vectors, CollectionConfig config)
    {
        var schema = config.Schema;
        var shown = DeclaredVectors.Sparse(config);
        foreach (var vector in vectors.Element.EnumerateObject())
        {
            var before = schema.FindSparse(vector.Name) ?? throw Errors.VectorNotFound(vector.Name);
            var fields = new JsonFields(vector.Value, $"sparse_vectors.{vector.Name}");
            var after = CollectionBody.ReadSparseVector(vector.Name, fields);
            if (fields["modifier"] is not null && after != before)
                schema = schema with { Sparse = schema.Sparse.Replace(before, after) };
            Merge(shown[vector.Name]!.AsObject(), JsonText.Object(vector.Value), removeNulls: false);
        }

        declared["sparse_vectors"] = shown.ToJsonString();
        return schema;
    }

    private static JsonObject Node(string? json) => json is null ? [] : JsonNode.Parse(json)!.AsObject();

    /// <summary>Lays one object over another; nulls leave what is there, or remove it.</summary>
    private static void Merge(JsonObject target, JsonObject change, bool removeNulls)
    {
        foreach (var (name, value) in change)
        {
            if (value is null)
            {
                if (removeNulls)
                    target.Remove(name);
            }
            else if (value is JsonObject inner && target[name] is JsonObject existing && !removeNulls)
            {
                Merge(existing, inner, removeNulls);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }
}
