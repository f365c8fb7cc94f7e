using Granary.Collections.Ports;
using Granary.Index;
using Xunit;

namespace Granary.Storage.Conformance;

/// <content>Checkpoints.</content>
public abstract partial class StorageConformance
{
    [Fact]
    public async Task A_published_checkpoint_is_read_as_it_was_written()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        Assert.Empty(await store.ListAsync(None));
        var vectors = Bytes(3_000_000, 1);
        var info = await PublishAsync(store, 7, ("vectors", vectors), ("empty", []), ("manifest", Bytes(10, 2)));
        Assert.Equal(7, info.Operation);
        Assert.True(info.SizeInBytes >= 3_000_010);
        Assert.Equal(info, Assert.Single(await store.ListAsync(None)));

        await using var reader = await store.OpenAsync(info, None);
        Assert.Equal(vectors, ReadSection(reader, "vectors"));
        Assert.Empty(ReadSection(reader, "empty"));
        Assert.Equal(Bytes(10, 2), ReadSection(reader, "manifest"));
        Assert.Equal(vectors, ReadSection(reader, "vectors"));
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<GranaryException>(() => reader.Open("graph")).Kind);
    }

    [Fact]
    public async Task A_section_is_mapped_whole_or_not_at_all()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        var bytes = Bytes(100_001, 3);
        var info = await PublishAsync(store, 7, ("vectors", bytes));
        await using var reader = await store.OpenAsync(info, None);
        using var mapped = reader.TryMap("vectors");
        if (mapped is not null)
            AssertMapped(bytes, mapped);
        Assert.Throws<GranaryException>(() => reader.TryMap("graph"));
    }

    [Fact]
    public async Task A_section_can_be_read_from_anywhere_or_is_read_forward_only()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        var bytes = Bytes(2_500_000, 4);
        var info = await PublishAsync(store, 7, ("vectors", bytes));
        await using var reader = await store.OpenAsync(info, None);
        await using var stream = reader.Open("vectors");
        if (!stream.CanSeek)
            return;
        Assert.Equal(bytes.Length, stream.Length);
        var part = new byte[1000];
        foreach (var position in (int[])[2_000_000, 1_048_500, 0, 2_499_000])
        {
            stream.Position = position;
            stream.ReadExactly(part);
            Assert.Equal(bytes[position..(position + 1000)], part);
        }

        Assert.Equal(0, stream.Read(part));
    }

    [Fact]
    public async Task Checkpoints_are_listed_newest_first()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        var five = await PublishAsync(store, 5, ("a", [5]));
        var nine = await PublishAsync(store, 9, ("a", [9]));
        var seven = await PublishAsync(store, 7, ("a", [7]));
        var again = await PublishAsync(store, 7, ("a", [8]));
        Assert.Equal([nine, again, seven, five], await store.ListAsync(None));
        await using var reader = await store.OpenAsync(again, None);
        Assert.Equal([8], ReadSection(reader, "a"));
        await ReopenAsync(killed: false);
        await using var reopened = await Storage.OpenCheckpointsAsync(Key, None);
        Assert.Equal([nine, again, seven, five], await reopened.ListAsync(None));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_checkpoint_not_published_leaves_no_trace(bool killed)
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        var kept = await PublishAsync(store, 5, ("a", [5]));
        var builder = await store.BeginAsync(9, None);
        await using (var stream = builder.Create("a"))
            stream.Write(Bytes(100_000, 1));
        Assert.Equal([kept], await store.ListAsync(None));
        if (!killed)
        {
            await builder.DisposeAsync();
            await builder.DisposeAsync();
        }

        await ReopenAsync(killed);
        await using var again = await Storage.OpenCheckpointsAsync(Key, None);
        Assert.Equal([kept], await again.ListAsync(None));
    }

    [Fact]
    public async Task A_checkpoint_deleted_while_open_stays_readable()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        var bytes = Bytes(200_000, 5);
        var info = await PublishAsync(store, 5, ("a", bytes), ("b", bytes));
        await using var reader = await store.OpenAsync(info, None);
        using var mapped = reader.TryMap("a");
        await store.DeleteAsync(info, None);
        await store.DeleteAsync(info, None);
        Assert.Empty(await store.ListAsync(None));
        Assert.Equal(bytes, ReadSection(reader, "b"));
        if (mapped is not null)
            AssertMapped(bytes, mapped);
        using var late = reader.TryMap("b");
        if (late is not null)
            AssertMapped(bytes, late);
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<GranaryException>(async () => await store.OpenAsync(info, None))).Kind);
    }

    [Fact]
    public async Task Two_checkpoints_may_be_written_at_once()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        await using var other = await Storage.OpenCheckpointsAsync(Key with { Number = 1 }, None);
        await using var first = await store.BeginAsync(5, None);
        await using var second = await other.BeginAsync(6, None);
        Write(first, "a", Bytes(10, 1));
        Write(second, "a", Bytes(20, 2));
        var info = await second.PublishAsync(None);
        await first.PublishAsync(None);
        await using var reader = await other.OpenAsync(info, None);
        Assert.Equal(Bytes(20, 2), ReadSection(reader, "a"));
        Assert.Single(await store.ListAsync(None));
    }

    [Fact]
    public async Task Appends_go_on_while_a_checkpoint_is_written()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        await using var builder = await store.BeginAsync(1, None);
        using (var stream = builder.Create("a"))
        {
            stream.Write(Bytes(2_000_000, 1));
            await FillAsync(log, 10);
            stream.Write(Bytes(2_000_000, 2));
        }

        await builder.PublishAsync(None);
        Assert.Equal(10, (await ReadAsync(log, 1)).Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../a")]
    [InlineData("A")]
    [InlineData(".a")]
    public async Task A_section_name_that_is_no_plain_name_is_refused(string name)
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        await using var builder = await store.BeginAsync(1, None);
        Assert.Throws<ArgumentException>(() => builder.Create(name));
    }

    [Fact]
    public async Task Sections_are_written_one_at_a_time_and_once()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        await using var builder = await store.BeginAsync(1, None);
        using (builder.Create("a"))
        {
            Assert.Throws<InvalidOperationException>(() => builder.Create("b"));
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await builder.PublishAsync(None));
        }

        Assert.Throws<InvalidOperationException>(() => builder.Create("a"));
    }

    [Fact]
    public async Task Partitions_are_measured_by_their_newest_checkpoint_or_by_their_log()
    {
        Assert.Empty(await Storage.MeasureAsync(None));
        await using var log = await Storage.OpenLogAsync(Key, None);
        await using var other = await Storage.OpenLogAsync(Key with { Number = 1 }, None);
        await FillAsync(log, 100, 5000);
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        // A storage that belongs to one process need not answer.
        if (await Storage.MeasureAsync(None) is not { Count: > 0 } measured)
            return;
        Assert.Equal([0, 1], measured.Where(m => m.Partition.Incarnation == Key.Incarnation).Select(m => m.Partition.Number).Order());
        Assert.True(measured.Sum(m => m.Bytes) >= 500_000);

        await PublishAsync(store, 7, ("vectors", Bytes(3_000, 2)));
        var newest = await PublishAsync(store, 9, ("vectors", Bytes(2_000, 1)));
        await PublishAsync(store, 8, ("vectors", Bytes(4_000, 3)));
        Assert.Equal(newest.SizeInBytes, (await Storage.MeasureAsync(None)).Single(m => m.Partition == Key).Bytes);

        await Storage.DropCollectionAsync(Key.Incarnation, None);
        Assert.Empty(await Storage.MeasureAsync(None));
    }

    [Fact]
    public async Task Dropping_a_collection_takes_its_checkpoints()
    {
        await using var store = await Storage.OpenCheckpointsAsync(Key, None);
        await PublishAsync(store, 5, ("a", [5]));
        await Storage.DropCollectionAsync(Key.Incarnation, None);
        await using var again = await Storage.OpenCheckpointsAsync(Key, None);
        Assert.Empty(await again.ListAsync(None));
    }

    protected static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected static async Task<CheckpointInfo> PublishAsync(
        ICheckpointStore store, long operation, params (string Name, byte[] Bytes)[] sections)
    {
        await using var builder = await store.BeginAsync(operation, None);
        foreach (var (name, bytes) in sections)
            Write(builder, name, bytes);
        return await builder.PublishAsync(None);
    }

    protected static byte[] ReadSection(ICheckpointHandle reader, string section)
    {
        using var stream = reader.Open(section);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static void Write(ICheckpointBuilder builder, string name, byte[] bytes)
    {
        using var stream = builder.Create(name);
        for (var at = 0; at < bytes.Length; at += 70_001)
            stream.Write(bytes, at, Math.Min(70_001, bytes.Length - at));
    }

    private static unsafe void AssertMapped(byte[] expected, Granary.Index.Checkpoints.MappedSection mapped)
    {
        Assert.Equal(expected.Length, mapped.Length);
        Assert.Equal(0, (long)mapped.Pointer % 4096);
        Assert.True(expected.AsSpan().SequenceEqual(new ReadOnlySpan<byte>(mapped.Pointer, expected.Length)));
    }
}
