using System.Text;
using Granary.Collections.Catalog;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Collections.Tests.Writing;

public sealed class BatchValidatorTests
{
    private static readonly CollectionConfig Config = new()
    {
        Schema = new IndexSchema
        {
            Dense = [new DenseVectorSchema("", 3, Distance.Cosine), new DenseVectorSchema("rows", 2, Distance.Dot) { MultiVector = true }],
            Sparse = [new SparseVectorSchema("terms", true)],
        },
        Embeddings = [new EmbeddingRule("", "text")],
    };

    [Fact]
    public void AcceptsWhatTheSchemaHas()
    {
        Check(w =>
        {
            w.Begin(OperationKind.Upsert, new PointId(1));
            w.Payload("""{"a":1}"""u8);
            w.Dense("", [1, 2, 3]);
            w.Multi("rows", 2, 2, [1, 2, 3, 4]);
            w.Sparse("terms", [1, 5], [0.5f, 1]);
            w.End();
        });
    }

    [Theory]
    [InlineData(2, "Vector dimension error: expected dim: 3, got 2")]
    [InlineData(4, "Vector dimension error: expected dim: 3, got 4")]
    public void RefusesAWrongSizeAndNamesThePoint(int size, string message)
    {
        var error = Refused(w => Upsert(w, 7, "", new float[size]));
        Assert.StartsWith(message, error.Message);
        Assert.Contains("point 7", error.Message);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void RefusesWhatIsNotFinite(float value) =>
        Assert.Contains("not a finite number", Refused(w => Upsert(w, 1, "", [1, value, 0])).Message);

    [Fact]
    public void RefusesAVectorWhoseSquaresOverflowUnlessItIsNormalised()
    {
        Check(w => Upsert(w, 1, "", [1e30f, -1e30f, 1e38f]));
        Check(w => Matrix(w, [1e19f, 0, 0, -1e19f]));
        var error = Refused(w => Matrix(w, [1, 0, 1e19f, 1.6e19f]));
        Assert.StartsWith("Vector \"rows\" is too long: the sum of the squares of its values must be at most 3.4028235E+38 (point 1",
            error.Message);

        static void Matrix(OperationWriter writer, float[] values)
        {
            writer.Begin(OperationKind.Upsert, new PointId(1));
            writer.Multi("rows", values.Length / 2, 2, values);
            writer.End();
        }
    }

    [Fact]
    public void RefusesAnUnknownVector() =>
        Assert.StartsWith("Not existing vector name error: other", Refused(w => Upsert(w, 1, "other", [1, 2, 3])).Message);

    [Fact]
    public void RefusesAnotherKindOfVector() =>
        Assert.StartsWith("Conversion between sparse and regular vectors failed", Refused(w => Upsert(w, 1, "terms", [1, 2, 3])).Message);

    [Fact]
    public void RefusesSparseIndicesOutOfOrder()
    {
        var error = Refused(w =>
        {
            w.Begin(OperationKind.Upsert, new PointId(1));
            w.Sparse("terms", [5, 5], [1, 1]);
            w.End();
        });
        Assert.Contains("must be unique and ascending", error.Message);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{\"a\":}")]
    [InlineData("{} {}")]
    public void RefusesAPayloadThatIsNoObject(string payload)
    {
        Refused(w =>
        {
            w.Begin(OperationKind.Upsert, new PointId(1));
            w.Payload(System.Text.Encoding.UTF8.GetBytes(payload));
            w.End();
        });
    }

    [Theory]
    [InlineData(63, 1, true)]
    [InlineData(64, 1, false)]
    [InlineData(60, 4, true)]
    [InlineData(60, 5, false)]
    [InlineData(200_000, 1, false)]
    public void RefusesAPayloadKeyDeeperThanAPayloadMayBe(int steps, int depth, bool accepted)
    {
        void Write(OperationWriter w)
        {
            w.Begin(OperationKind.SetPayload, new PointId(5));
            w.Payload(System.Text.Encoding.UTF8.GetBytes(
                string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1)));
            w.Key(System.Text.Encoding.UTF8.GetBytes(string.Join('.', Enumerable.Repeat("a", steps))));
            w.End();
        }

        if (accepted)
            Check(Write);
        else
            Assert.Contains("point 5", Refused(Write).Message);
    }

    [Fact]
    public void RefusesAVectorGivenTwice()
    {
        var error = Refused(w =>
        {
            w.Begin(OperationKind.Upsert, new PointId(3));
            w.Dense("", [1, 2, 3]);
            w.Sparse("terms", [1], [1]);
            w.Dense("", [3, 2, 1]);
            w.End();
        });
        Assert.StartsWith("Vector \"\" is given twice (point 3", error.Message);
    }

    [Theory]
    [InlineData("{\"a\":1e400}", "out of range")]
    [InlineData("{\"a\":[-1e999]}", "out of range")]
    [InlineData("{\"a\":\"\\ud800\"}", "not valid Unicode")]
    [InlineData("{\"\\udc00\":1}", "not valid Unicode")]
    public void RefusesAPayloadThatCouldNotBeApplied(string payload, string message)
    {
        foreach (var kind in new[] { OperationKind.Upsert, OperationKind.SetPayload, OperationKind.OverwritePayload })
        {
            var error = Refused(w =>
            {
                w.Begin(kind, new PointId(7));
                w.Payload(System.Text.Encoding.UTF8.GetBytes(payload));
                w.End();
            });
            Assert.Contains(message, error.Message);
            Assert.Contains("point 7", error.Message);
        }
    }

    [Fact]
    public void RefusesAPayloadThatIsNotUtf8() => Assert.Contains("UTF-8", Refused(w =>
    {
        w.Begin(OperationKind.Upsert, new PointId(1));
        w.Payload([.. "{\"a\":\""u8, 0xFF, .. "\"}"u8]);
        w.End();
    }).Message);

    [Theory]
    [InlineData(OperationKind.SetPayload, "a..b")]
    [InlineData(OperationKind.DeletePayload, "[\"a\",\"b[\"]")]
    [InlineData(OperationKind.DeletePayload, "[1]")]
    [InlineData(OperationKind.DeletePayload, "[null]")]
    [InlineData(OperationKind.DeletePayload, "[\"\\ud800\"]")]
    [InlineData(OperationKind.DeletePayload, "a")]
    [InlineData(OperationKind.DeletePayload, "")]
    [InlineData(OperationKind.DeleteVectors, "[null]")]
    public void RefusesKeysThatAreNoPaths(OperationKind kind, string key)
    {
        Refused(w =>
        {
            w.Begin(kind, new PointId(1));
            if (kind == OperationKind.SetPayload)
                w.Payload("""{"a":1}"""u8);
            w.Key(System.Text.Encoding.UTF8.GetBytes(key));
            w.End();
        });
    }

    [Fact]
    public void RefusesWhatIsNoChangeOfPoints()
    {
        Refused(w =>
        {
            w.Begin(OperationKind.ChangeSchema, default);
            w.End();
        });
        Refused(w =>
        {
            w.Begin(OperationKind.Delete, default);
            w.End();
        });
    }

    [Fact]
    public void MarksPointsWhoseTextIsToBeEmbedded()
    {
        var writer = new OperationWriter();
        foreach (var (payload, vector) in new[] { ("""{"text":"a word"}""", false), ("""{"text":"a word"}""", true),
            ("""{"other":"a word"}""", false) })
        {
            writer.Begin(OperationKind.Upsert, new PointId(1));
            writer.Payload(System.Text.Encoding.UTF8.GetBytes(payload));
            if (vector)
                writer.Dense("", [1, 2, 3]);
            writer.End();
        }

        var bytes = writer.Detach().ToArray();
        new BatchValidator(Config).Validate(bytes);
        var flags = new List<OperationFlags>();
        foreach (var operation in new OperationSequence(bytes))
            flags.Add(new OperationView(operation).Flags);
        Assert.Equal([OperationFlags.AwaitsEmbedding, OperationFlags.None, OperationFlags.None], flags);

        // Settings without the rule, which a silo hears of between two looks at the batch, take the mark away.
        new BatchValidator(Config with { Embeddings = [] }).Validate(bytes);
        foreach (var operation in new OperationSequence(bytes))
            Assert.Equal(OperationFlags.None, new OperationView(operation).Flags);
    }

    [Fact]
    public void SplitsByPlacementAndSendsFiltersEverywhere()
    {
        var placement = PlacementTable.Even(4);
        var writer = new OperationWriter();
        for (ulong id = 0; id < 100; id++)
        {
            writer.Begin(OperationKind.Delete, new PointId(id));
            writer.End();
        }

        writer.Begin(OperationKind.ClearPayload, default, OperationFlags.ByFilter);
        writer.End();
        var parts = BatchSplitter.Split(writer.Written, writer.Count, placement);
        Assert.Equal(4, parts.Count);
        Assert.Equal(104, parts.Sum(p => p.Count));
        foreach (var part in parts)
        {
            var kinds = new List<OperationKind>();
            foreach (var operation in new OperationSequence(part.Operations.Span))
            {
                var view = new OperationView(operation);
                kinds.Add(view.Kind);
                if (view.Kind == OperationKind.Delete)
                    Assert.Equal(part.Partition, placement.PartitionOf(view.Id));
            }

            Assert.Equal(OperationKind.ClearPayload, kinds[^1]);
        }
    }

    [Fact]
    public void AnOperationNamesSoManyKeysAtMost()
    {
        Check(w => DeleteKeys(w, 1_024));
        var error = Assert.Throws<GranaryException>(() => Check(w => DeleteKeys(w, 1_025)));
        Assert.Equal((ErrorKind.BadInput, "Operation 0: 1025 payload keys are given; the limit is 1024"), (error.Kind, error.Message));

        static void DeleteKeys(OperationWriter writer, int count)
        {
            writer.Begin(OperationKind.DeletePayload, new PointId(1));
            writer.Key(Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"k{i}\""))}]"));
            writer.End();
        }
    }

    [Fact]
    public void ABatchByFilterThatGrowsToGigabytesOverThePartitionsIsRefused()
    {
        var writer = new OperationWriter();
        writer.Begin(OperationKind.SetPayload, default, OperationFlags.ByFilter);
        writer.Payload(Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', 1 << 20)}}"}"""));
        writer.End();
        Assert.Equal(128, BatchSplitter.Split(writer.Written, 1, PlacementTable.Even(128)).Count);
        var error = Assert.Throws<GranaryException>(() => BatchSplitter.Split(writer.Written, 1, PlacementTable.Even(1024)));
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        Assert.Contains("1024 partitions", error.Message);
    }

    private static void Upsert(OperationWriter writer, ulong id, string vector, float[] values)
    {
        writer.Begin(OperationKind.Upsert, new PointId(id));
        writer.Dense(vector, values);
        writer.End();
    }

    private static void Check(Action<OperationWriter> write)
    {
        var writer = new OperationWriter();
        write(writer);
        new BatchValidator(Config).Validate(writer.Detach().ToArray());
    }

    private static GranaryException Refused(Action<OperationWriter> write)
    {
        var error = Assert.Throws<GranaryException>(() => Check(write));
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        return error;
    }
}
