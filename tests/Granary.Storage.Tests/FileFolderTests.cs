using System.Diagnostics;
using System.Globalization;
using System.Text;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Granary.Storage.Files;
using Granary.Storage.Sqlite;
using Granary.Storage.Tests.Simulation;

namespace Granary.Storage.Tests;

public sealed class FileFolderTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly PartitionKey Key = new(Guid.NewGuid(), 0);

    [Fact]
    public async Task A_folder_in_use_is_refused_naming_the_process()
    {
        using var folder = new TemporaryFolder();
        await using var storage = await FileStorage.OpenAsync(folder.Path);
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await FileStorage.OpenAsync(folder.Path));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains($"in use by process {Environment.ProcessId}", error.Message);
    }

    [Fact]
    public async Task The_lock_of_a_dead_process_is_taken_over_and_said_so()
    {
        using var folder = new TemporaryFolder();
        await (await FileStorage.OpenAsync(folder.Path)).DisposeAsync();
        await using (var clean = await FileStorage.OpenAsync(folder.Path))
            Assert.Null(clean.RecoveryNote);
        using var dead = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
        await dead.WaitForExitAsync();
        File.WriteAllText(folder.At("owner"), dead.Id.ToString(CultureInfo.InvariantCulture));
        await using var storage = await FileStorage.OpenAsync(folder.Path);
        Assert.Contains($"process {dead.Id} did not close this folder", storage.RecoveryNote);
    }

    [Fact]
    public async Task A_newer_format_is_refused_with_both_versions()
    {
        using var folder = new TemporaryFolder();
        await (await FileStorage.OpenAsync(folder.Path)).DisposeAsync();
        var line = "granary-folder 2\n";
        File.WriteAllText(folder.At("format"), $"{line}crc32c {Crc32C.Compute(Encoding.UTF8.GetBytes(line)):x8}\n");
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await FileStorage.OpenAsync(folder.Path));
        Assert.Contains("format version 2, this program reads up to 1", error.Message);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_refused_at_once()
    {
        var files = new SimulatedFileSystem { Full = (_, _) => true };
        var error = Assert.Throws<GranaryException>(() => FileStorage.Open(files, "/srv/granary", new FileStorageOptions()));
        Assert.Equal(ErrorKind.InsufficientStorage, error.Kind);
        Assert.Contains("/srv/granary", error.Message);
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("file"), "");
        error = await Assert.ThrowsAsync<GranaryException>(async () => await FileStorage.OpenAsync(folder.At("file", "data")));
        Assert.Contains(folder.At("file"), error.Message);
    }

    /// <summary>Half of what is written arrives, the rest does not fit: the log stays whole, and goes on when there is room.</summary>
    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Disk)]
    public async Task A_full_disk_refuses_the_append_and_leaves_the_log_whole(Durability durability)
    {
        var files = new SimulatedFileSystem();
        var options = new FileStorageOptions { Durability = durability, SegmentBytes = 4096, Time = new StoppedTime() };
        var storage = FileStorage.Open(files, "/srv/granary", options);
        var log = await storage.OpenLogAsync(Key, None);
        for (var i = 1; i <= 60; i++)
        {
            var record = new LogRecord(i, 1, Guid.NewGuid(), new byte[300]);
            files.Full = (kind, path) => kind is "write" or "create" && path.Contains("/log/", StringComparison.Ordinal);
            var error = await Assert.ThrowsAsync<GranaryException>(async () => await log.AppendAsync([record], None));
            Assert.Equal(ErrorKind.InsufficientStorage, error.Kind);
            Assert.Contains(".log", error.Message);
            Assert.Equal(i, log.NextOperation);
            files.Full = null;
            await log.AppendAsync([record], None);
        }

        var after = files.AfterCut(new Random(1));
        await storage.AbandonAsync();
        if (durability == Durability.Process)
            return;
        await using var again = FileStorage.Open(after, "/srv/granary", options);
        await using var reopened = await again.OpenLogAsync(Key, None);
        Assert.Equal(61, reopened.NextOperation);
    }

    [Fact]
    public async Task A_failed_sync_refuses_the_append_and_the_next_one_is_durable()
    {
        var files = new SimulatedFileSystem();
        var options = new FileStorageOptions { Durability = Durability.Disk };
        var storage = FileStorage.Open(files, "/srv/granary", options);
        var log = await storage.OpenLogAsync(Key, None);
        await log.AppendAsync([new LogRecord(1, 1, Guid.NewGuid(), new byte[300])], None);
        files.Broken = (kind, _) => kind == "sync";
        var error = await Assert.ThrowsAsync<GranaryException>(
            async () => await log.AppendAsync([new LogRecord(2, 1, Guid.NewGuid(), new byte[300])], None));
        Assert.Equal(ErrorKind.Internal, error.Kind);
        files.Broken = null;
        await log.AppendAsync([new LogRecord(2, 5, Guid.NewGuid(), new byte[10])], None);
        var after = files.AfterCut(null);
        await storage.AbandonAsync();
        await using var again = FileStorage.Open(after, "/srv/granary", options);
        await using var reopened = await again.OpenLogAsync(Key, None);
        Assert.Equal(7, reopened.NextOperation);
    }

    [Fact]
    public async Task Process_durability_syncs_in_the_background()
    {
        var files = new SimulatedFileSystem();
        await using var storage = FileStorage.Open(files, "/srv/granary", new FileStorageOptions
        {
            SyncDelay = TimeSpan.FromMilliseconds(1),
        });
        await using var log = await storage.OpenLogAsync(Key, None);
        var synced = new TaskCompletionSource();
        files.Synced = path => _ = path.EndsWith(".log", StringComparison.Ordinal) && synced.TrySetResult();
        await log.AppendAsync([new LogRecord(1, 1, Guid.NewGuid(), new byte[300])], None);
        await synced.Task;
    }

    [Fact]
    public async Task A_log_whose_sync_fails_in_an_unknown_way_stops_and_the_others_are_synced()
    {
        var files = new SimulatedFileSystem();
        await using var storage = FileStorage.Open(files, "/srv/granary", new FileStorageOptions
        {
            SyncDelay = TimeSpan.FromMilliseconds(1),
        });
        var bad = await storage.OpenLogAsync(Key, None);
        await using var good = await storage.OpenLogAsync(Key with { Number = 99 }, None);
        var (failed, synced) = (new TaskCompletionSource(), new TaskCompletionSource());
        string? first = null;
        files.Synced = path =>
        {
            if (!path.EndsWith(".log", StringComparison.Ordinal))
                return;
            if (Interlocked.CompareExchange(ref first, path, null) is { } other && other != path)
            {
                synced.TrySetResult();
                return;
            }

            failed.TrySetResult();
            throw new InvalidOperationException("nobody thought of this");
        };
        await bad.AppendAsync([new LogRecord(1, 1, Guid.NewGuid(), new byte[300])], None);
        await failed.Task;
        await good.AppendAsync([new LogRecord(1, 1, Guid.NewGuid(), new byte[300])], None);
        await synced.Task.WaitAsync(TimeSpan.FromMinutes(1));
        var error = await Assert.ThrowsAsync<GranaryException>(
            async () => await bad.AppendAsync([new LogRecord(2, 1, Guid.NewGuid(), new byte[300])], None));
        Assert.Contains("nobody thought of this", error.Message);
        files.Synced = null;
        await bad.DisposeAsync();
    }

    [Fact]
    public async Task The_simulated_disk_forgets_what_was_not_synced()
    {
        var files = new SimulatedFileSystem();
        var storage = FileStorage.Open(files, "/srv/granary", new FileStorageOptions { Time = new StoppedTime() });
        var log = await storage.OpenLogAsync(Key, None);
        await log.AppendAsync([new LogRecord(1, 1, Guid.NewGuid(), new byte[300])], None);
        var after = files.AfterCut(null);
        await storage.AbandonAsync();
        await using var again = FileStorage.Open(after, "/srv/granary", new FileStorageOptions());
        await using var reopened = await again.OpenLogAsync(Key, None);
        Assert.Equal(1, reopened.NextOperation);
    }

    [Fact]
    public async Task An_SQLite_file_in_use_newer_or_foreign_is_refused()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("granary.db");
        await using (await SqliteStorage.OpenAsync(path))
        {
            var used = await Assert.ThrowsAsync<GranaryException>(async () => await SqliteStorage.OpenAsync(path));
            Assert.Contains($"in use by process {Environment.ProcessId}", used.Message);
        }

        var bytes = File.ReadAllBytes(path);
        bytes[63] = 2;
        File.WriteAllBytes(path, bytes);
        var newer = await Assert.ThrowsAsync<GranaryException>(async () => await SqliteStorage.OpenAsync(path));
        Assert.Contains("format version 2, this program reads up to 1", newer.Message);
        File.WriteAllText(path, new string('x', 5000));
        var foreign = await Assert.ThrowsAsync<GranaryException>(async () => await SqliteStorage.OpenAsync(path));
        Assert.Equal(ErrorKind.Corrupted, foreign.Kind);
        Assert.Contains(path, foreign.Message);
    }
}
