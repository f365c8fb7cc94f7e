using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Files;

namespace Granary.Storage.Tests;

/// <summary>
/// Torn tails, flipped bits, missing and foreign files: the log is cut at its last whole record and says so, or refused with file and
/// offset.
/// </summary>
public sealed class FileDamageTests : IDisposable
{
    private const int HeaderBytes = 64;
    private const int FrameBytes = 56 + 40;
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly PartitionKey Key = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 3);
    private readonly TemporaryFolder _folder = new();

    private string LogFolder => _folder.At("data", Key.Incarnation.ToString("N"), "3", "log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_log_cut_at_any_byte_of_its_last_record_ends_with_the_record_before()
    {
        var bytes = await MakeLogAsync(4);
        var path = Segment(1);
        Assert.Equal(HeaderBytes + (4 * FrameBytes), bytes.Length);
        for (var length = HeaderBytes + (3 * FrameBytes); length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            var (note, last) = await OpenAsync();
            Assert.Equal(3, last);
            if (length == HeaderBytes + (3 * FrameBytes))
                Assert.Null(note);
            else
                Assert.Contains($"{path}: cut at offset {HeaderBytes + (3 * FrameBytes)}", note);
            Assert.Equal(HeaderBytes + (3 * FrameBytes), new FileInfo(path).Length);
        }
    }

    [Fact]
    public async Task A_flipped_byte_costs_the_last_record_at_most_or_is_refused_with_file_and_offset()
    {
        var bytes = await MakeLogAsync(4);
        var path = Segment(1);
        var lastRecord = HeaderBytes + (3 * FrameBytes);
        for (var at = 0; at < bytes.Length; at++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0x41;
            File.WriteAllBytes(path, damaged);
            if (at >= lastRecord)
            {
                var (note, last) = await OpenAsync();
                Assert.Equal(3, last);
                Assert.Contains($"{path}: cut at offset {lastRecord}", note);
                continue;
            }

            var frame = at < HeaderBytes ? 0 : HeaderBytes + ((at - HeaderBytes) / FrameBytes * FrameBytes);
            var error = await Assert.ThrowsAsync<GranaryException>(OpenAsync);
            Assert.Equal(ErrorKind.Corrupted, error.Kind);
            Assert.Contains($"{path}: damaged at offset {frame}", error.Message);
            Assert.Equal(damaged, File.ReadAllBytes(path));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(56)]
    [InlineData(100_000)]
    public async Task Zeros_after_the_end_are_cut(int count)
    {
        var bytes = await MakeLogAsync(4);
        File.WriteAllBytes(Segment(1), [.. bytes, .. new byte[count]]);
        var (note, last) = await OpenAsync();
        Assert.Equal(4, last);
        Assert.Contains($"cut at offset {bytes.Length}", note);
    }

    [Fact]
    public async Task A_group_commit_cut_in_its_midst_is_gone_as_a_whole()
    {
        await using (var storage = await FileStorage.OpenAsync(_folder.Path))
        {
            await using var log = await storage.OpenLogAsync(Key, None);
            await log.AppendAsync([Record(1)], None);
            await log.AppendAsync([Record(2), Record(3), Record(4)], None);
        }

        var bytes = File.ReadAllBytes(Segment(1));
        for (var length = HeaderBytes + FrameBytes; length < bytes.Length; length += 31)
        {
            File.WriteAllBytes(Segment(1), bytes[..length]);
            Assert.Equal(1, (await OpenAsync()).Last);
        }
    }

    [Fact]
    public async Task A_record_missing_in_the_middle_is_refused()
    {
        var bytes = await MakeLogAsync(4);
        var second = HeaderBytes + FrameBytes;
        File.WriteAllBytes(Segment(1), [.. bytes[..second], .. bytes[(second + FrameBytes)..]]);
        var error = await Assert.ThrowsAsync<GranaryException>(OpenAsync);
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
        Assert.Contains($"{Segment(1)}: damaged at offset {second}: the record begins with operation 3, not 2", error.Message);
    }

    [Fact]
    public async Task A_record_from_elsewhere_inside_a_payload_never_passes_for_one()
    {
        var bytes = await MakeLogAsync(2);
        await using (var storage = await FileStorage.OpenAsync(_folder.Path))
        {
            await using var log = await storage.OpenLogAsync(Key, None);
            await log.AppendAsync([new LogRecord(3, 1, Guid.NewGuid(), bytes)], None);
        }

        var torn = File.ReadAllBytes(Segment(1));
        File.WriteAllBytes(Segment(1), torn[..^1]);
        Assert.Equal(2, (await OpenAsync()).Last);
    }

    [Fact]
    public async Task Each_missing_file_is_noticed()
    {
        await MakeManyAsync();
        var files = Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);
        Assert.True(files.Length >= 7, string.Join('\n', files));
        foreach (var path in files.Where(f => Path.GetFileName(f) is not ("lock" or "owner")))
        {
            var bytes = File.ReadAllBytes(path);
            File.Delete(path);
            var error = await Assert.ThrowsAsync<GranaryException>(OpenAllAsync);
            Assert.Equal(ErrorKind.Corrupted, error.Kind);
            Assert.Contains(path, error.Message);
            File.WriteAllBytes(path, bytes);
        }

        await OpenAllAsync();
    }

    [Fact]
    public async Task Each_flipped_byte_of_the_small_files_is_noticed()
    {
        await MakeManyAsync();
        foreach (var name in (string[])["format", "catalog", "manifest", "sections"])
        {
            var path = Directory.GetFiles(_folder.Path, name, SearchOption.AllDirectories).Single();
            var bytes = File.ReadAllBytes(path);
            for (var at = 0; at < bytes.Length; at++)
            {
                var damaged = (byte[])bytes.Clone();
                damaged[at] ^= 0x10;
                File.WriteAllBytes(path, damaged);
                var error = await Assert.ThrowsAsync<GranaryException>(OpenAllAsync);
                Assert.Contains(path, error.Message);
            }

            File.WriteAllBytes(path, bytes);
        }
    }

    [Theory]
    [InlineData("notes.txt")]
    [InlineData("data/notes.txt")]
    [InlineData("data/00112233445566778899aabbccddeeff/notes.txt")]
    [InlineData("data/00112233445566778899aabbccddeeff/3/notes.txt")]
    [InlineData("data/00112233445566778899aabbccddeeff/3/log/notes.txt")]
    [InlineData("data/00112233445566778899aabbccddeeff/3/log/00000000000000009999.log")]
    [InlineData("data/00112233445566778899aabbccddeeff/3/checkpoints/notes.txt")]
    public async Task A_foreign_file_is_refused_by_name(string name)
    {
        await MakeManyAsync();
        var path = _folder.At(name.Split('/'));
        File.WriteAllText(path, "This is not Granary's, and longer than the header of a segment would be.");
        var error = await Assert.ThrowsAsync<GranaryException>(OpenAllAsync);
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
        Assert.Contains(path, error.Message);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task A_segment_of_another_partition_is_refused()
    {
        await MakeLogAsync(2);
        var own = File.ReadAllBytes(Segment(1));
        await using (var storage = await FileStorage.OpenAsync(_folder.Path))
        {
            await using var log = await storage.OpenLogAsync(Key with { Number = 4 }, None);
        }

        File.WriteAllBytes(Segment(1).Replace("/3/", "/4/", StringComparison.Ordinal), own);
        await using var again = await FileStorage.OpenAsync(_folder.Path);
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await again.OpenLogAsync(Key with { Number = 4 }, None));
        Assert.Contains("it belongs to", error.Message);
    }

    private static LogRecord Record(long first)
    {
        var operations = new byte[40];
        new Random((int)first).NextBytes(operations);
        return new LogRecord(first, 1, new Guid((int)first, 0, 0, new byte[8]), operations);
    }

    private string Segment(long first) => Path.Combine(LogFolder, $"{first:D20}.log");

    private async Task<byte[]> MakeLogAsync(int records)
    {
        await using (var storage = await FileStorage.OpenAsync(_folder.Path))
        {
            await using var log = await storage.OpenLogAsync(Key, None);
            for (var i = 1; i <= records; i++)
                await log.AppendAsync([Record(i)], None);
        }

        return File.ReadAllBytes(Segment(1));
    }

    /// <summary>Several segments, a checkpoint of two sections, a catalog.</summary>
    private async Task MakeManyAsync()
    {
        await using var storage = await FileStorage.OpenAsync(_folder.Path, new FileStorageOptions { SegmentBytes = 4096 });
        await storage.Catalog.TryCommitAsync([new CatalogChange("collection/a", 0, new byte[] { 1, 2, 3 })], None);
        await using var log = await storage.OpenLogAsync(Key, None);
        for (var i = 1; i <= 100; i++)
            await log.AppendAsync([Record(i)], None);
        await using var store = await storage.OpenCheckpointsAsync(Key, None);
        await using var builder = await store.BeginAsync(50, None);
        using (var stream = builder.Create("vectors"))
            stream.Write(new byte[1000]);
        using (var stream = builder.Create("text"))
            stream.Write(new byte[10]);
        await builder.PublishAsync(None);
    }

    private async Task<(string? Note, long Last)> OpenAsync()
    {
        await using var storage = await FileStorage.OpenAsync(_folder.Path);
        await using var log = await storage.OpenLogAsync(Key, None);
        var last = 0L;
        await foreach (var record in log.ReadAsync(1, None))
        {
            Assert.Equal(last + 1, record.FirstOperation);
            last = record.LastOperation;
        }

        Assert.Equal(last + 1, log.NextOperation);
        return (log.RecoveryNote, last);
    }

    private async Task OpenAllAsync()
    {
        await using var storage = await FileStorage.OpenAsync(_folder.Path);
        await using var log = await storage.OpenLogAsync(Key, None);
        await using var store = await storage.OpenCheckpointsAsync(Key, None);
        await using var reader = await store.OpenAsync((await store.ListAsync(None)).Single(), None);
    }
}
