using System.Text;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

/// <summary>A vector computed from a text follows it; one that was given stays.</summary>
public sealed class ComputedVectorTests : IDisposable
{
    private const string Same = """{"text":"old words","n":1,"deep":{"text":"below"}}""";
    private static readonly IndexSchema Schema = new()
    {
        Dense = [new DenseVectorSchema("v", 2, Distance.Dot), new DenseVectorSchema("given", 2, Distance.Dot)],
        Sparse = [new SparseVectorSchema("s", false)],
    };

    private readonly PartitionIndex _index = new(Schema);

    [Theory]
    [InlineData(OperationKind.Upsert, """{"text":"new words"}""", "", false)]
    [InlineData(OperationKind.Upsert, """{"n":1}""", "", false)]
    [InlineData(OperationKind.Upsert, Same, "", true)]
    [InlineData(OperationKind.SetPayload, """{"text":"new words"}""", "", false)]
    [InlineData(OperationKind.SetPayload, """{"text":["old words"]}""", "", true)]
    [InlineData(OperationKind.SetPayload, """{"text":null}""", "", false)]
    [InlineData(OperationKind.SetPayload, """{"n":2}""", "", true)]
    [InlineData(OperationKind.SetPayload, """{"text":"new words"}""", "deep", true)]
    [InlineData(OperationKind.OverwritePayload, """{"text":"new words"}""", "", false)]
    [InlineData(OperationKind.OverwritePayload, """{"text":"old words"}""", "", true)]
    [InlineData(OperationKind.OverwritePayload, """{"n":1}""", "", false)]
    [InlineData(OperationKind.DeletePayload, "", """["text"]""", false)]
    [InlineData(OperationKind.DeletePayload, "", """["n"]""", true)]
    [InlineData(OperationKind.ClearPayload, "", "", false)]
    public void StaysExactlyWhileItsTextDoes(OperationKind kind, string payload, string key, bool stays)
    {
        foreach (var byFilter in kind == OperationKind.Upsert ? [false] : new[] { false, true })
        {
            var id = new PointId(byFilter ? 2UL : 1UL);
            Insert(id);
            Assert.Equal(ApplyOutcome.Applied, Embed(id, "old words"));
            Assert.Equal([("given", null), ("v", "text")], Vectors(id));
            Apply(w =>
            {
                w.Begin(kind, byFilter ? default : id, byFilter ? OperationFlags.ByFilter | OperationFlags.AwaitsEmbedding : default);
                if (byFilter)
                    w.Filter(FilterJson.ToUtf8(new Filter { Must = [new HasIdCondition([id])] }));
                w.Payload(Encoding.UTF8.GetBytes(payload));
                w.Key(Encoding.UTF8.GetBytes(key));
                if (kind == OperationKind.Upsert)
                    w.Dense("given", [1f, 0f]);
                w.End();
            });
            Assert.Equal(stays ? [("given", null), ("v", "text")] : [("given", null)], Vectors(id));
            Assert.Equal(byFilter ? [id] : [], _index.Changed);
        }
    }

    [Fact]
    public void AppliesOnlyToTheTextItCameFromAndOnlyWhereTheVectorIsLacking()
    {
        var id = new PointId(1);
        Insert(id);
        Embed(id, "other words");
        Assert.Equal([("given", null)], Vectors(id));
        // A change beside the text does not lose the embedding.
        Apply(w =>
        {
            w.Begin(OperationKind.SetPayload, id);
            w.Payload("""{"n":5}"""u8);
            w.End();
        });
        Embed(id, "old words");
        Assert.Equal([("given", null), ("v", "text")], Vectors(id));
        var before = Operation(id);
        Embed(id, "old words", [9f, 9f]);
        Assert.Equal(before, Operation(id));
        // The client's own is never touched, even where it is just what was computed.
        Apply(w =>
        {
            w.Begin(OperationKind.UpdateVectors, id);
            w.Dense("v", [1f, 2f]);
            w.End();
        });
        Assert.Equal([("given", null), ("v", null)], Vectors(id));
        Apply(w =>
        {
            w.Begin(OperationKind.ClearPayload, id);
            w.End();
        });
        Assert.Equal([("given", null), ("v", null)], Vectors(id));
        Embed(new PointId(77), "old words");
        Assert.Equal(1, _index.PointCount);
    }

    [Fact]
    public void PoisonIsPassedOver()
    {
        var id = new PointId(1);
        Insert(id);
        AssertPoison(id, "[\"text\"]", "v", "need 2 names of sources, 1 given");
        AssertPoison(id, "[\"\",\"\"]", "v", "Invalid json path: ''");
        AssertPoison(id, "[\"a..b\",\"\"]", "v", "Invalid json path: 'a..b'");
        AssertPoison(id, "{}", "v", "not a JSON array");
        AssertPoison(id, $"[\"{new string('x', 5000)}\",\"\"]", "v", "the limit is 255 paths of 4096 characters");
        AssertPoison(id, "[\"text\",\"\"]", "s", "is not a dense vector");
        Assert.Equal([("given", null)], Vectors(id));
        Embed(id, "old words");
        Assert.Equal([("given", null), ("v", "text")], Vectors(id));

        void AssertPoison(PointId point, string key, string vector, string expected)
        {
            var writer = new OperationWriter();
            writer.Begin(OperationKind.ApplyEmbedding, point);
            writer.Key(Encoding.UTF8.GetBytes(key));
            if (vector == "s")
                writer.Sparse("s", [1], [1f]);
            else
                writer.Dense(vector, [1f, 2f]);
            writer.End();
            var view = new OperationView(writer.Written.Span[4..]);
            Assert.Equal(ApplyOutcome.Poison, _index.Apply(_index.AppliedOperation + 1, view, out var why));
            Assert.Contains(expected, why, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void TheMarkOutlivesACheckpointACopyAndAnotherGraph()
    {
        for (ulong i = 1; i <= 20; i++)
        {
            Insert(new PointId(i));
            if (i % 2 == 0)
                Embed(new PointId(i), "old words");
        }

        Apply(w =>
        {
            w.Begin(OperationKind.ChangeSchema, default);
            var other = Schema.Dense[0] with { Hnsw = new HnswSettings { M = 4 } };
            w.Payload(SchemaJson.Write(Schema with { Dense = [Schema.Dense[1], other] }));
            w.End();
        });
        var checkpoint = new MemoryCheckpoint();
        _index.WriteCheckpoint(checkpoint, CancellationToken.None);
        using var read = PartitionIndex.ReadCheckpoint(checkpoint);
        using var reader = read.OpenReader();
        using var copy = PartitionIndex.CopyOf(reader, CancellationToken.None);
        for (ulong i = 1; i <= 20; i++)
        {
            Assert.Equal(i % 2 == 0 ? [("given", null), ("v", "text")] : [("given", null)], Vectors(new PointId(i), read));
            Assert.Equal(i % 2 == 0 ? [("given", null), ("v", "text")] : [("given", null)], Vectors(new PointId(i), copy));
        }

        var section = checkpoint.Sections["computed"];
        section[^1] ^= 255;
        Assert.Contains("\"computed\"", Assert.Throws<GranaryException>(() => PartitionIndex.ReadCheckpoint(checkpoint)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutComputedVectorsACheckpointIsOfTheFirstFormat()
    {
        var (plain, marked) = (new MemoryCheckpoint(), new MemoryCheckpoint());
        Insert(new PointId(1));
        _index.WriteCheckpoint(plain, CancellationToken.None);
        Embed(new PointId(1), "old words");
        _index.WriteCheckpoint(marked, CancellationToken.None);
        Assert.Equal((1, 2), (plain.Sections["manifest"][4], marked.Sections["manifest"][4]));
        Assert.DoesNotContain("computed", plain.Sections.Keys);
    }

    public void Dispose() => _index.Dispose();

    private ApplyOutcome Embed(PointId id, string text, float[]? vector = null) => Apply(w =>
    {
        w.Begin(OperationKind.ApplyEmbedding, id);
        w.Key(EmbeddingSource.Write([new EmbeddingSource("text", EmbeddingSource.DigestOf(text))]));
        w.Dense("v", vector ?? [1f, 2f]);
        w.End();
    });

    private void Insert(PointId id) => Apply(w =>
    {
        w.Begin(OperationKind.Upsert, id);
        w.Payload(Encoding.UTF8.GetBytes(Same));
        w.Dense("given", [1f, 0f]);
        w.End();
    });

    private ApplyOutcome Apply(Action<OperationWriter> write)
    {
        var writer = new OperationWriter();
        write(writer);
        return _index.Apply(_index.AppliedOperation + 1, new OperationView(writer.Written.Span[4..]), out _);
    }

    private long Operation(PointId id)
    {
        using var reader = _index.OpenReader();
        Assert.True(reader.TryGet(id, VectorSelector.None, out var point));
        return point!.Operation;
    }

    private List<(string, string?)> Vectors(PointId id, PartitionIndex? index = null)
    {
        using var reader = (index ?? _index).OpenReader();
        Assert.True(reader.TryGet(id, new VectorSelector(true), out var point));
        return [.. point!.Vectors.Select(v => (v.Name, v.ComputedFrom)).OrderBy(v => v.Name, StringComparer.Ordinal)];
    }
}
