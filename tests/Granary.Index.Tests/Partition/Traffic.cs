using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Granary.Index.Filters;
using Granary.Index.Operations;

namespace Granary.Index.Tests.Partition;

/// <summary>Random operations, applied to an index and to the model alike.</summary>
internal sealed class Traffic(int seed, Model model)
{
    private static readonly string[] Tags = ["red", "green", "blue"];
    private static readonly string[] Words = ["night", "train", "river", "stone", "glass", "winter"];
    private readonly OperationWriter _writer = new();

    public Random Random { get; } = new(seed);

    public long Operation { get; private set; }

    public HashSet<string> Indexes { get; } = [];

    /// <summary>The operation applied last.</summary>
    public byte[] Last { get; private set; } = [];

    /// <summary>Applies one random operation.</summary>
    public void Step(PartitionIndex index)
    {
        _writer.Clear();
        var poison = false;
        switch (Random.Next(22))
        {
            case < 8:
                Upsert();
                break;
            case 8 or 9:
                Delete();
                break;
            case 10 or 11:
                SetPayload();
                break;
            case 12:
                Overwrite();
                break;
            case 13:
                DeleteKeys();
                break;
            case 14:
                Clear();
                break;
            case 15 or 16:
                UpdateVectors(OperationKind.UpdateVectors);
                break;
            case 17:
                DeleteVectors();
                break;
            case 18:
                UpdateVectors(OperationKind.ApplyEmbedding);
                break;
            case 19:
                Embed();
                break;
            case 20:
                ChangeIndex();
                break;
            default:
                Poison();
                poison = true;
                break;
        }

        var bytes = _writer.Written.Span[4..];
        var outcome = index.Apply(Operation + 1, new OperationView(bytes), out var why);
        Operation++;
        Last = bytes.ToArray();
        Assert.True(outcome == (poison ? ApplyOutcome.Poison : ApplyOutcome.Applied), $"{new OperationView(bytes).Kind}: {outcome} {why}");
        Assert.Equal(poison, why is not null);
        if (Random.Next(8) == 0)
            Assert.Equal(ApplyOutcome.AlreadyApplied, index.Apply(Operation, new OperationView(bytes), out _));
        Assert.Equal(Operation, index.AppliedOperation);
    }

    public Filter? RandomFilter() => Random.Next(6) switch
    {
        0 or 1 => null,
        2 => new Filter { Must = [new MatchAnyCondition("tag", [MatchValue.Of(Tags[Random.Next(3)])])] },
        3 => new Filter { Must = [Range()], MustNot = [new HasIdCondition([Id(), Id(), Id()])] },
        4 => new Filter
        {
            Should = [Range(), new HasVectorCondition("dot")],
            MustNot = [new MatchAnyCondition("tag", [MatchValue.Of("red")])],
        },
        _ => new Filter { Must = [new HasIdCondition([.. Enumerable.Range(0, 20).Select(_ => Id())])] },
    };

    public float[] Floats(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)Random.Next(-3, 4))];

    public uint[] Dimensions() => [.. Enumerable.Range(0, 6).Where(_ => Random.Next(2) == 0).Select(i => (uint)(i * 1000))];

    public string Text() => string.Join(' ', Enumerable.Range(0, 1 + Random.Next(5)).Select(_ => Words[Random.Next(Words.Length)]));

    public PointId Id()
    {
        var number = (ulong)Random.Next(60);
        return number % 5 == 0 ? new PointId(new Guid((int)number, 0, 0, new byte[8])) : new PointId(number);
    }

    private RangeCondition Range()
    {
        var low = Random.Next(10);
        return new RangeCondition("n", null, low, null, low + 3);
    }

    private JsonObject Payload()
    {
        var payload = new JsonObject();
        if (Random.Next(4) > 0)
            payload["tag"] = Tags[Random.Next(3)];
        if (Random.Next(4) > 0)
            payload["n"] = Random.Next(10);
        if (Random.Next(3) > 0)
            payload["body"] = Text();
        return payload;
    }

    private void Upsert()
    {
        var id = Id();
        var flags = Random.Next(6) switch { 0 => OperationFlags.InsertOnly, 1 => OperationFlags.UpdateOnly, _ => OperationFlags.None };
        var filter = Random.Next(5) == 0 ? RandomFilter() : null;
        var exists = model.Points.TryGetValue(id, out var old);
        var payload = exists && Random.Next(3) == 0 ? (JsonObject)old!.Payload.DeepClone() : Payload();
        var vectors = exists && Random.Next(3) == 0 ? Given(old!.Vectors) : Vectors();
        _writer.Begin(OperationKind.Upsert, id, flags);
        if (filter is not null)
            _writer.Filter(FilterJson.ToUtf8(filter));
        _writer.Payload(Encoding.UTF8.GetBytes(payload.ToJsonString()));
        End(vectors);
        if (exists ? flags == OperationFlags.InsertOnly || !Model.Matches(filter, id, old!) : flags == OperationFlags.UpdateOnly)
            return;
        // What was computed stays, if the text does.
        var computed = exists ? old!.Vectors.Where(v => v.Value.Computed && !vectors.ContainsKey(v.Key)) : [];
        model.Put(id, new ModelPoint(Operation + 1, payload, vectors.AddRange(computed)));
    }

    private static ImmutableSortedDictionary<string, ModelVector> Given(ImmutableSortedDictionary<string, ModelVector> vectors) =>
        vectors.ToImmutableSortedDictionary(v => v.Key, v => v.Value with { Computed = false });

    private ImmutableSortedDictionary<string, ModelVector> Vectors()
    {
        var vectors = ImmutableSortedDictionary.CreateBuilder<string, ModelVector>();
        if (Random.Next(4) > 0)
            vectors["dot"] = new ModelVector(Floats(4));
        if (Random.Next(3) > 0)
            vectors["euclid"] = new ModelVector(Floats(3));
        if (Random.Next(3) > 0)
        {
            var rows = 1 + Random.Next(3);
            vectors["multi"] = new ModelVector(Floats(rows * 2), rows);
        }

        if (Random.Next(3) > 0)
        {
            var indices = Dimensions();
            vectors["sparse"] = new ModelVector([.. indices.Select(_ => (float)Random.Next(1, 5))], 0, indices);
        }

        return vectors.ToImmutable();
    }

    private void End(ImmutableSortedDictionary<string, ModelVector> vectors)
    {
        foreach (var (name, vector) in vectors)
        {
            if (vector.Indices is not null)
                _writer.Sparse(name, vector.Indices, vector.Values);
            else if (name == "multi")
                _writer.Multi(name, vector.Rows, 2, vector.Values);
            else
                _writer.Dense(name, vector.Values);
        }

        _writer.End();
    }

    // Begins an operation on a point or on what a filter matches, and says which points those are.
    private List<PointId> Target(OperationKind kind)
    {
        if (Random.Next(3) > 0 || RandomFilter() is not { } filter)
        {
            var id = Id();
            _writer.Begin(kind, id);
            return model.Points.ContainsKey(id) ? [id] : [];
        }

        _writer.Begin(kind, default, OperationFlags.ByFilter);
        _writer.Filter(FilterJson.ToUtf8(filter));
        return [.. model.Matching(filter).Select(p => p.Id)];
    }

    private void Delete()
    {
        foreach (var id in Target(OperationKind.Delete))
            model.Points = model.Points.Remove(id);
        _writer.End();
    }

    private void SetPayload()
    {
        var patch = Payload();
        if (patch.Count == 0)
            patch["n"] = 1;
        var nested = Random.Next(3) == 0;
        foreach (var id in Target(OperationKind.SetPayload))
        {
            Edit(id, payload =>
            {
                var target = nested ? payload["inner"] as JsonObject ?? [] : payload;
                foreach (var (key, value) in patch)
                    target[key] = value!.DeepClone();
                if (nested)
                    payload["inner"] = target.DeepClone();
            });
        }

        _writer.Payload(Encoding.UTF8.GetBytes(patch.ToJsonString()));
        if (nested)
            _writer.Key("inner"u8);
        _writer.End();
    }

    private void Overwrite()
    {
        var next = Payload();
        foreach (var id in Target(OperationKind.OverwritePayload))
            model.Put(id, model.Points[id] with { Operation = Operation + 1, Payload = (JsonObject)next.DeepClone() });
        _writer.Payload(Encoding.UTF8.GetBytes(next.ToJsonString()));
        _writer.End();
    }

    private void DeleteKeys()
    {
        foreach (var id in Target(OperationKind.DeletePayload))
        {
            Edit(id, payload =>
            {
                payload.Remove("tag");
                (payload["inner"] as JsonObject)?.Remove("n");
            });
        }

        _writer.Key("""["tag", "inner.n"]"""u8);
        _writer.End();
    }

    private void Clear()
    {
        foreach (var id in Target(OperationKind.ClearPayload))
            model.Put(id, model.Points[id] with { Operation = Operation + 1, Payload = [] });
        _writer.End();
    }

    private void UpdateVectors(OperationKind kind)
    {
        var given = Vectors();
        if (kind == OperationKind.ApplyEmbedding)
        {
            var id = Id();
            var stale = Random.Next(2) == 0;
            _writer.Begin(kind, id);
            var exists = model.Points.TryGetValue(id, out var point);
            _writer.Source(exists ? point!.Operation - (stale ? 1 : 0) : 1);
            if (exists && !stale)
                Merge(id, given);
        }
        else
        {
            foreach (var id in Target(kind))
                Merge(id, given);
        }

        End(given);
    }

    // An embedding fills what the point lacks, if its text is the one it was computed from.
    private void Embed()
    {
        var points = model.Points.Where(p => Model.Body(p.Value) is not null).ToList();
        var (id, point) = points.Count > 0 && Random.Next(8) > 0 ? points[Random.Next(points.Count)] : new(new PointId(1_000), null!);
        var stale = Random.Next(4) == 0;
        var given = Vectors().RemoveRange(["multi", "sparse"]);
        var text = point is null || stale ? "no such words" : Model.Body(point)!;
        _writer.Begin(OperationKind.ApplyEmbedding, id);
        _writer.Key(EmbeddingSource.Write(given.Select(_ => new EmbeddingSource("body", EmbeddingSource.DigestOf(text)))));
        _writer.Source(1);
        End(given);
        var filled = point is null || stale ? [] : given.Where(v => !point.Vectors.ContainsKey(v.Key)).ToList();
        if (filled.Count > 0)
            Merge(id, filled.ToImmutableSortedDictionary(v => v.Key, v => v.Value with { Computed = true }));
    }

    private void Merge(PointId id, ImmutableSortedDictionary<string, ModelVector> given)
    {
        var point = model.Points[id];
        model.Put(id, point with { Operation = Operation + 1, Vectors = point.Vectors.SetItems(given) });
    }

    private void DeleteVectors()
    {
        foreach (var id in Target(OperationKind.DeleteVectors))
        {
            var point = model.Points[id];
            model.Put(id, point with { Operation = Operation + 1, Vectors = point.Vectors.RemoveRange(["dot", "sparse"]) });
        }

        _writer.Key("""["dot", "sparse"]"""u8);
        _writer.End();
    }

    private void ChangeIndex()
    {
        var (path, type) = Random.Next(2) == 0 ? ("tag", PayloadIndexType.Keyword) : ("n", PayloadIndexType.Integer);
        if (Indexes.Add(path))
        {
            _writer.Begin(OperationKind.CreatePayloadIndex, default);
            _writer.Payload(SchemaJson.Write(new PayloadIndexSchema(path, type)));
        }
        else
        {
            Indexes.Remove(path);
            _writer.Begin(OperationKind.DropPayloadIndex, default);
            _writer.Key(Encoding.UTF8.GetBytes(path));
        }

        _writer.End();
    }

    private void Poison()
    {
        _writer.Begin(OperationKind.Upsert, Id());
        switch (Random.Next(4))
        {
            case 0:
                _writer.Dense("dot", [1f, 2f]);
                break;
            case 1:
                _writer.Dense("unknown", [1f]);
                break;
            case 2:
                _writer.Dense("dot", [1f, 2f, float.NaN, 0f]);
                break;
            default:
                _writer.Payload("""{"tag": "red", """u8);
                break;
        }

        _writer.End();
    }

    private void Edit(PointId id, Action<JsonObject> change)
    {
        var point = model.Points[id];
        var payload = (JsonObject)point.Payload.DeepClone();
        change(payload);
        model.Put(id, point with { Operation = Operation + 1, Payload = payload });
    }
}
