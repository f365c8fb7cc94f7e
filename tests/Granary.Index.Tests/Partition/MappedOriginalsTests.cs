using Granary.Index.Operations;
using Granary.Index.Search;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

/// <summary>Originals that are served from mapped checkpoints, against an index that has all in memory.</summary>
public sealed class MappedOriginalsTests
{
    private const int Size = 24;
    private const int Count = 7000;

    // As many rows as a chunk has.
    private const int Chunk = 2048;

    [Theory]
    [InlineData(Distance.Cosine, VectorStorage.Float32WithCodes)]
    [InlineData(Distance.Euclid, VectorStorage.Float32)]
    [InlineData(Distance.Manhattan, VectorStorage.Float32WithCodes)]
    public void AnswersAreThoseOfAnIndexInMemoryWhereverTheRowsAre(Distance distance, VectorStorage storage)
    {
        using var memory = new PartitionIndex(Schema(distance, storage, onDisk: false));
        using var disk = new PartitionIndex(Schema(distance, storage, onDisk: true));
        using FolderCheckpoint first = new(), second = new(), third = new();
        var random = new Random(5);
        Fill(random, Count, memory, disk);
        disk.WriteCheckpoint(first, CancellationToken.None);
        var written = first.Contents();
        var before = Bytes(disk).Memory;
        Move(disk, first);
        Assert.Equal((1, 3L * Chunk * Size * sizeof(float)), (first.Mapped, Bytes(disk).Mapped));
        Assert.Equal(before - Bytes(disk).Mapped, Bytes(disk).Memory);
        Compare(memory, disk);

        // Rows of the file are freed and taken by others, and more come.
        for (var round = 0; round < 4; round++)
        {
            Churn(random, 400, memory, disk);
            Compare(memory, disk);
        }

        Assert.Equal(written.Keys, first.Contents().Keys);
        Assert.All(first.Contents(), file => Assert.Equal(written[file.Key], file.Value));

        disk.WriteCheckpoint(second, CancellationToken.None);
        Move(disk, second);
        Assert.Equal((0, 1), (first.Mapped, second.Mapped));
        Compare(memory, disk);
        using (var restored = PartitionIndex.ReadCheckpoint(second))
        {
            Assert.Equal(2, second.Mapped);
            Assert.Equal(3L * Chunk * Size * sizeof(float), Bytes(restored).Mapped);
            Compare(memory, restored);
            Churn(random, 400, memory, disk, restored);
            Compare(memory, restored);
            restored.WriteCheckpoint(third, CancellationToken.None);
            using var again = PartitionIndex.ReadCheckpoint(third);
            Compare(memory, again);
        }

        Assert.Equal((1, 0), (second.Mapped, third.Mapped));
        disk.Dispose();
        Assert.Equal(0, second.Mapped);
    }

    [Fact]
    public void ARestoredIndexFollowsTheGraphAsOneInMemoryDoes()
    {
        using var index = new PartitionIndex(Schema(Distance.Euclid, VectorStorage.Float32WithCodes, onDisk: true));
        Fill(new Random(6), Count, index);
        using var folder = new FolderCheckpoint();
        index.WriteCheckpoint(folder, CancellationToken.None);
        using var mapped = PartitionIndex.ReadCheckpoint(folder);
        using var copied = PartitionIndex.ReadCheckpoint(Copy(folder));
        Assert.Equal(0, Bytes(copied).Mapped);
        using IndexReader one = mapped.OpenReader(), other = copied.OpenReader();
        for (var seed = 0; seed < 40; seed++)
        {
            var leg = new DenseLeg("v", Vector(new Random(seed))) { Limit = 10, Ef = 40 };
            Assert.Equal(Lines(other.Search(leg).Hits), Lines(one.Search(leg).Hits));
        }
    }

    [Fact]
    public async Task ReadersBesideAMoveSeeNothingOfIt()
    {
        using var index = new PartitionIndex(Schema(Distance.Dot, VectorStorage.Float32WithCodes, onDisk: true));
        var random = new Random(7);
        Fill(random, Count, index);
        var queries = Enumerable.Range(0, 8).Select(seed => Vector(new Random(seed))).ToArray();
        var expected = queries.Select(query => Exact(index, query)).ToArray();
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(first => Task.Run(() =>
        {
            for (var i = first; !done.IsCancellationRequested; i++)
                Assert.Equal(expected[i % queries.Length], Exact(index, queries[i % queries.Length]));
        })).ToArray();
        var folders = new List<FolderCheckpoint>();
        for (var round = 0; round < 6; round++)
        {
            // Zeros score 0, below all that is asked for.
            for (var i = 0; i < 500; i++)
                Apply(index, Upsert(Count + random.Next(1000), new float[Size]));
            for (var i = 0; i < 500; i++)
                Apply(index, Delete(Count + random.Next(1000)));
            index.Reclaim();
            index.Link(int.MaxValue, 1, CancellationToken.None);
            folders.Add(new FolderCheckpoint());
            index.WriteCheckpoint(folders[^1], CancellationToken.None);
            Move(index, folders[^1]);
        }

        await done.CancelAsync();
        await Task.WhenAll(readers);
        index.Reclaim();
        Assert.Equal(1, folders.Sum(folder => folder.Mapped));
        Assert.False(index.ReclaimDue);
        folders.ForEach(folder => folder.Dispose());
    }

    [Fact]
    public void AMoveThatIsGivenUpLeavesBothHalvesInPlace()
    {
        using PartitionIndex memory = new(Schema(Distance.Euclid, VectorStorage.Float32, onDisk: false, size: 4096)),
            disk = new(Schema(Distance.Euclid, VectorStorage.Float32, onDisk: true, size: 4096));
        using FolderCheckpoint first = new(), second = new();
        for (var i = 0; i < 600; i++)
        {
            var upsert = Upsert(i, Vector(new Random(i), 4096));
            Apply(memory, upsert);
            Apply(disk, upsert);
        }

        disk.WriteCheckpoint(first, CancellationToken.None);
        using (var move = disk.MapOriginals(first))
            Assert.True(move!.Step());
        disk.ReleaseMoved(CancellationToken.None);
        Assert.Equal(4 << 20, Bytes(disk).Mapped);
        Compare(memory, disk, size: 4096);
        Apply(memory, Upsert(3, new float[4096]));
        Apply(disk, Upsert(3, new float[4096]));
        disk.WriteCheckpoint(second, CancellationToken.None);
        using (disk.MapOriginals(second))
            Assert.Equal(1, second.Mapped);
        Assert.Equal((1, 0), (first.Mapped, second.Mapped));
        Move(disk, second);
        Assert.Equal((0, 1), (first.Mapped, second.Mapped));
        Compare(memory, disk, size: 4096);
    }

    [Fact]
    public void ADamagedFileIsRefusedBeforeAnyOfItIsServed()
    {
        using var index = new PartitionIndex(Schema(Distance.Cosine, VectorStorage.Float32WithCodes, onDisk: true));
        Fill(new Random(8), Count, index);
        using var folder = new FolderCheckpoint();
        index.WriteCheckpoint(folder, CancellationToken.None);
        foreach (var fromEnd in new[] { 1L, Count * Size * 2L, Count * Size * 4L - 1 })
        {
            using (var file = File.Open(folder.PathOf("field-0"), FileMode.Open))
            {
                file.Position = file.Length - fromEnd;
                var value = (byte)file.ReadByte();
                file.Position--;
                file.WriteByte((byte)(value ^ 4));
            }

            var error = Assert.Throws<GranaryException>(() => PartitionIndex.ReadCheckpoint(folder));
            Assert.Equal(ErrorKind.Corrupted, error.Kind);
            Assert.Equal(0, folder.Mapped);
        }
    }

    [Fact]
    public void ChunksWithNothingBehindThemInTheFileStayInMemory()
    {
        using var index = new PartitionIndex(Schema(Distance.Cosine, VectorStorage.Float32WithCodes, onDisk: true));
        Fill(new Random(9), 2 * Chunk, index);
        using var folder = new FolderCheckpoint();
        index.WriteCheckpoint(folder, CancellationToken.None);
        using var restored = PartitionIndex.ReadCheckpoint(folder);
        Assert.Equal((long)Chunk * Size * sizeof(float), Bytes(restored).Mapped);
        Compare(index, restored);
    }

    [Fact]
    public void OnDiskMayBeSwitchedOnWithoutLinkingAnew()
    {
        using var index = new PartitionIndex(Schema(Distance.Cosine, VectorStorage.Float32WithCodes, onDisk: false));
        Fill(new Random(10), Count, index);
        using var folder = new FolderCheckpoint();
        index.WriteCheckpoint(folder, CancellationToken.None);
        Assert.Null(index.MapOriginals(folder));
        var writer = new OperationWriter();
        writer.Begin(OperationKind.ChangeSchema, default);
        writer.Payload(SchemaJson.Write(Schema(Distance.Cosine, VectorStorage.Float32WithCodes, onDisk: true)));
        writer.End();
        Apply(index, writer.Written[4..].ToArray());
        Assert.Equal(0, index.PendingLinks);
        using var next = new FolderCheckpoint();
        index.WriteCheckpoint(next, CancellationToken.None);
        Move(index, next);
        Assert.Equal((0, 1), (folder.Mapped, next.Mapped));
    }

    private static IndexSchema Schema(Distance distance, VectorStorage storage, bool onDisk, int size = Size) => new()
    {
        Dense =
        [
            new DenseVectorSchema("v", size, distance)
            {
                Storage = storage, OnDisk = onDisk, Hnsw = new HnswSettings { M = size > Size ? 0 : 8, EfConstruct = 24 },
            },
        ],
    };

    private static void Move(PartitionIndex index, FolderCheckpoint folder)
    {
        using (var originals = index.MapOriginals(folder))
        {
            while (originals!.Step())
            {
            }
        }

        index.ReleaseMoved(CancellationToken.None);
    }

    private static void Fill(Random random, int count, params PartitionIndex[] indexes)
    {
        for (var i = 0; i < count; i++)
        {
            var upsert = Upsert(i, Vector(random));
            foreach (var index in indexes)
                Apply(index, upsert);
        }

        foreach (var index in indexes)
            index.Link(int.MaxValue, 1, CancellationToken.None);
    }

    private static void Churn(Random random, int count, params PartitionIndex[] indexes)
    {
        for (var i = 0; i < count; i++)
        {
            var id = random.Next(Count);
            var operation = i % 2 == 0 ? Delete(id) : Upsert(id, Vector(random));
            foreach (var index in indexes)
                Apply(index, operation);
        }

        foreach (var index in indexes)
        {
            index.Reclaim();
            index.Link(int.MaxValue, 1, CancellationToken.None);
            index.Reclaim();
        }
    }

    private static void Compare(PartitionIndex expected, PartitionIndex actual, int size = Size)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var query = Vector(new Random(seed), size);
            Assert.Equal(Exact(expected, query), Exact(actual, query));
        }

        using IndexReader one = expected.OpenReader(), other = actual.OpenReader();
        var every = new VectorSelector(true);
        foreach (var hit in one.Search(new ScanLeg { Limit = 300 }).Hits)
        {
            Assert.True(one.TryGet(hit.Id, every, out var wanted) && other.TryGet(hit.Id, every, out var found)
                && wanted!.Vectors[0].Values.AsSpan().SequenceEqual(found!.Vectors[0].Values));
        }
    }

    private static List<string> Exact(PartitionIndex index, float[] query)
    {
        using var reader = index.OpenReader();
        return Lines(reader.Search(new DenseLeg("v", query) { Exact = true, Limit = 30 }).Hits);
    }

    private static List<string> Lines(IEnumerable<LegHit> hits) => [.. hits.Select(hit => $"{hit.Id} {hit.Score:R}")];

    private static (long Memory, long Mapped) Bytes(PartitionIndex index)
    {
        var parts = index.MeasureBytes();
        return (Of("originals"), Of("originals in mapped files"));

        long Of(string name) => parts.FirstOrDefault(part => part.Part == name).Bytes;
    }

    private static MemoryCheckpoint Copy(FolderCheckpoint folder)
    {
        var copy = new MemoryCheckpoint();
        foreach (var (name, bytes) in folder.Contents())
            copy.Sections[name] = bytes;
        return copy;
    }

    private static float[] Vector(Random random, int size = Size) =>
        [.. Enumerable.Range(0, size).Select(_ => (float)(random.NextDouble() + 0.01))];

    private static void Apply(PartitionIndex index, byte[] operation) =>
        Assert.Equal(ApplyOutcome.Applied, index.Apply(index.AppliedOperation + 1, new OperationView(operation), out _));

    private static byte[] Upsert(int id, float[] vector)
    {
        var writer = new OperationWriter();
        writer.Begin(OperationKind.Upsert, new PointId((ulong)id));
        writer.Dense("v", vector);
        writer.End();
        return writer.Written[4..].ToArray();
    }

    private static byte[] Delete(int id)
    {
        var writer = new OperationWriter();
        writer.Begin(OperationKind.Delete, new PointId((ulong)id));
        writer.End();
        return writer.Written[4..].ToArray();
    }
}
