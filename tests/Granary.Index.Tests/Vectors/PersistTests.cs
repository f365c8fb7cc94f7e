using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class PersistTests
{
    [Theory]
    [InlineData(Distance.Cosine, 16)]
    [InlineData(Distance.Euclid, 16)]
    [InlineData(Distance.Manhattan, 16)]
    [InlineData(Distance.Dot, 0)]
    public void ALoadedFieldAnswersAsTheSavedOne(Distance distance, int m)
    {
        var vectors = TestVectors.Clustered(4000, 20, 61);
        using var field = TestVectors.Field(vectors[..3500], distance, hnsw: new HnswSettings { M = m, EfConstruct = 80 });
        for (var row = 0; row < 500; row++)
            field.Remove(row * 3);
        field.Link(0, 1, CancellationToken.None);
        var last = 0;
        for (var i = 3500; i < 4000; i++)
            last = field.Add(vectors[i], i);
        field.Remove(last);

        using var loaded = Reload(field);
        Assert.Equal(
            (field.Live, field.Added, field.LinkedAdds, field.Pending), (loaded.Live, loaded.Added, loaded.LinkedAdds, loaded.Pending));
        foreach (var query in TestVectors.Clustered(30, 20, 62))
        {
            var all = default(Everything);
            Assert.Equal(Sorted(TestVectors.Exact(field, query, 10, all)), Sorted(TestVectors.Exact(loaded, query, 10, all)));
            Assert.Equal(Sorted(TestVectors.Search(field, query, 10, all)), Sorted(TestVectors.Search(loaded, query, 10, all)));
        }

        TestVectors.LinkAll(loaded);
        Assert.Equal(0, loaded.Pending);
        Assert.True(TestVectors.Recall(loaded, TestVectors.Clustered(50, 20, 63), 10, default(Everything)) >= 0.96);
        loaded.Add(vectors[0], 9999);
        Assert.Contains(TestVectors.Search(loaded, vectors[0], 3, default(Everything)), h => h.Slot == 9999);
    }

    // An image does not say which links of a full list are apart, so that a loaded field chooses among all of them again; a field that
    // knows must come to the same.
    [Theory]
    [InlineData(Distance.Cosine, 5)]
    [InlineData(Distance.Euclid, 5)]
    [InlineData(Distance.Euclid, 1)]
    [InlineData(Distance.Manhattan, 5)]
    public void AFieldThatIsLoadedBeforeEveryLinkLinksAsOneThatIsNot(Distance distance, int clusters)
    {
        var vectors = TestVectors.Clustered(500, 6, 65, clusters);
        var schema = new DenseVectorSchema("v", 6, distance) { Hnsw = new HnswSettings { M = 4, EfConstruct = 30 } };
        using var field = new DenseField(schema, new EpochClock());
        for (var i = 0; i < vectors.Length; i++)
            field.Add(vectors[i], i);
        var other = Reload(field);
        while (field.Pending > 0)
        {
            field.Link(1, 1, CancellationToken.None);
            other.Link(1, 1, CancellationToken.None);
            var loaded = Reload(other);
            other.Dispose();
            other = loaded;
        }

        using (other)
            Assert.Equal(Image(field), Image(other));
    }

    [Fact]
    public void AnEmptyFieldIsSavedAndLoaded()
    {
        using var field = new DenseField(new DenseVectorSchema("v", 3, Distance.Dot), new EpochClock());
        using var loaded = Reload(field);
        Assert.Equal(0, loaded.RowCapacity);
        loaded.Add([1f, 2f, 3f], 4);
        Assert.Equal([new SlotHit(4, 14f)], TestVectors.Search(loaded, [1f, 2f, 3f], 1, default(Everything)));
    }

    [Fact]
    public void DamagedNewerAndForeignDataIsRefused()
    {
        using var field = TestVectors.Field(TestVectors.Clustered(300, 8, 64), Distance.Dot);
        var stream = new MemoryStream();
        field.Save(stream);
        var image = stream.ToArray();
        Assert.Equal(ErrorKind.Corrupted, Refusal(image[..^5], field.Schema));
        Assert.Equal(ErrorKind.Corrupted, Refusal(With(image, 0, 1), field.Schema));
        Assert.Equal(ErrorKind.Corrupted, Refusal(With(image, 4, 99), field.Schema));
        Assert.Equal(ErrorKind.Corrupted, Refusal(image, field.Schema with { Size = 9 }));
        Assert.Equal(ErrorKind.Corrupted, Refusal(image, field.Schema with { Distance = Distance.Euclid }));
    }

    private static ErrorKind Refusal(byte[] image, DenseVectorSchema schema) =>
        Assert.Throws<GranaryException>(() => DenseField.Load(new MemoryStream(image), schema, new EpochClock())).Kind;

    private static byte[] With(byte[] image, int at, byte value)
    {
        var copy = image.ToArray();
        copy[at] = value;
        return copy;
    }

    private static byte[] Image(DenseField field)
    {
        var stream = new MemoryStream();
        field.Save(stream);
        return stream.ToArray();
    }

    private static DenseField Reload(DenseField field)
    {
        var stream = new MemoryStream();
        field.Save(stream);
        stream.Position = 0;
        var loaded = DenseField.Load(stream, field.Schema, new EpochClock());
        Assert.Equal(stream.Length, stream.Position);
        return loaded;
    }

    private static SlotHit[] Sorted(List<SlotHit> hits) => [.. hits.OrderBy(h => h.Score).ThenBy(h => h.Slot)];
}
