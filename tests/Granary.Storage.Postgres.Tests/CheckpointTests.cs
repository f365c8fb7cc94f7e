using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Postgres.Tests;

/// <summary>Checkpoints between the database and the folder they are mapped from.</summary>
public sealed class CheckpointTests
{
    private static readonly byte[] Vectors = Bytes(100_000, 1);
    private static readonly byte[] Graph = Bytes(9_000, 2);

    [Fact]
    public async Task Another_machine_maps_what_it_fetched_and_fetches_once()
    {
        await using var bench = await Bench.MakeAsync();
        var info = await PublishAsync(bench, 5);
        var elsewhere = Path.Combine(bench.Cache, "elsewhere");
        await using var store = await OpenStoreAsync(bench, elsewhere);
        await using (var handle = await store.OpenAsync(info, default))
        {
            using var mapped = handle.TryMap("vectors");
            Assert.Equal(Vectors.Length, mapped!.Length);
            Assert.Equal(Graph, Read(handle, "graph"));
        }

        // With the chunks gone only the copy is left, and their checksums still guard it.
        await bench.ExecuteAsync("UPDATE granary.checkpoint_chunk SET bytes = decode(repeat('00', octet_length(bytes)), 'hex')");
        await using var again = await store.OpenAsync(info, default);
        Assert.Equal(Vectors, Read(again, "vectors"));
    }

    [Fact]
    public async Task A_damaged_chunk_is_refused_by_its_section_and_number()
    {
        await using var bench = await Bench.MakeAsync();
        var info = await PublishAsync(bench, 5);
        await bench.ExecuteAsync(
            "UPDATE granary.checkpoint_chunk SET bytes = set_byte(bytes, 9, get_byte(bytes, 9) # 1) "
                + "WHERE section = 'vectors' AND chunk = 2");
        await using var store = await OpenStoreAsync(bench, Path.Combine(bench.Cache, "elsewhere"));
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await store.OpenAsync(info, default));
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
        Assert.Contains("section vectors, chunk 2", error.Message);
        await bench.ExecuteAsync("DELETE FROM granary.checkpoint_chunk WHERE section = 'vectors' AND chunk = 1");
        error = await Assert.ThrowsAsync<GranaryException>(async () => await store.OpenAsync(info, default));
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
        Assert.Contains("section vectors, chunk 1", error.Message);
    }

    [Fact]
    public async Task A_damaged_copy_is_fetched_again()
    {
        await using var bench = await Bench.MakeAsync();
        var info = await PublishAsync(bench, 5);
        var copies = Directory.GetFiles(bench.Cache, "*", SearchOption.AllDirectories);
        Assert.Equal(2, copies.Length);
        Action<string>[] damages =
            [Flip, File.Delete, path => File.WriteAllBytes(path, [1]), path => File.AppendAllText(path, "x")];
        foreach (var damage in damages)
        {
            damage(Directory.GetFiles(bench.Cache, "vectors", SearchOption.AllDirectories).Single());
            await using var store = await OpenStoreAsync(bench, bench.Cache);
            await using var handle = await store.OpenAsync(info, default);
            Assert.Equal(Vectors, Read(handle, "vectors"));
        }
    }

    [Fact]
    public async Task Copies_of_deleted_checkpoints_go_and_an_open_one_stays_readable()
    {
        await using var bench = await Bench.MakeAsync();
        var info = await PublishAsync(bench, 5);
        var elsewhere = Path.Combine(bench.Cache, "elsewhere");
        await using var store = await OpenStoreAsync(bench, elsewhere);
        await using var handle = await store.OpenAsync(info, default);
        await using (var other = await OpenStoreAsync(bench, bench.Cache))
            await other.DeleteAsync(info, default);
        Assert.Equal(Graph, Read(handle, "graph"));
        Assert.NotEmpty(Directory.GetFiles(elsewhere, "*", SearchOption.AllDirectories));
        await using (await OpenStoreAsync(bench, elsewhere))
            Assert.Empty(Directory.GetFiles(elsewhere, "*", SearchOption.AllDirectories));
        Assert.Equal(Graph, Read(handle, "graph"));
        Assert.Equal(0L, await bench.ScalarAsync<long>("SELECT count(*) FROM granary.checkpoint_chunk"));
    }

    [Fact]
    public async Task What_was_never_published_goes_once_it_is_old()
    {
        await using var bench = await Bench.MakeAsync();
        await PublishAsync(bench, 5);
        await PublishAsync(bench, 6);
        await bench.ExecuteAsync("UPDATE granary.checkpoint SET published = false WHERE operation = 5");
        await bench.OpenAsync();
        Assert.Equal(2L, await bench.ScalarAsync<long>("SELECT count(*) FROM granary.checkpoint"));
        await bench.ExecuteAsync("UPDATE granary.checkpoint SET touched = now() - interval '7 hours'");
        await bench.OpenAsync();
        Assert.Equal([6], (await (await OpenStoreAsync(bench, bench.Cache)).ListAsync(default)).Select(c => c.Operation));
        Assert.Equal(1L, await bench.ScalarAsync<long>("SELECT count(*) FROM granary.checkpoint"));
    }

    [Fact]
    public async Task A_checkpoint_of_a_collection_that_is_dropped_meanwhile_is_not_published()
    {
        await using var bench = await Bench.MakeAsync();
        var storage = await bench.OpenAsync();
        await using var store = await storage.OpenCheckpointsAsync(Bench.Key, default);
        await using var log = await storage.OpenLogAsync(Bench.Key, default);
        await bench.ExecuteAsync(
            $"""
            CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN DELETE FROM granary.checkpoint; RETURN NULL; END';
            CREATE TRIGGER drop_it AFTER INSERT ON granary.checkpoint_chunk FOR EACH STATEMENT EXECUTE FUNCTION drop_it();
            """);
        await using var builder = await store.BeginAsync(5, default);
        await using (var stream = builder.Create("graph"))
            stream.Write(Graph);
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await builder.PublishAsync(default));
        Assert.Equal(ErrorKind.NotFound, error.Kind);
        Assert.Empty(await store.ListAsync(default));
    }

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[50_000] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static async Task<CheckpointInfo> PublishAsync(Bench bench, long operation)
    {
        await using var store = await OpenStoreAsync(bench, bench.Cache);
        await using var builder = await store.BeginAsync(operation, default);
        await using (var stream = builder.Create("vectors"))
            stream.Write(Vectors);
        await using (var stream = builder.Create("graph"))
            stream.Write(Graph);
        return await builder.PublishAsync(default);
    }

    private static async Task<ICheckpointStore> OpenStoreAsync(Bench bench, string cache) =>
        await (await bench.OpenAsync(new PostgresStorageOptions { ChunkBytes = 4096 }, cache: cache))
            .OpenCheckpointsAsync(Bench.Key, default);

    private static byte[] Read(ICheckpointHandle handle, string section)
    {
        using var stream = handle.Open(section);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
