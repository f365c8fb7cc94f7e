using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Writing;
using Granary.Index;

namespace Granary.Storage.Postgres.Tests;

/// <summary>Commits whose answer never comes: the log tells what became of them, nothing is lost and nothing is there twice.</summary>
public sealed class LostAnswerTests
{
    [Fact]
    public async Task An_append_whose_answer_is_lost_is_found_and_not_made_twice()
    {
        await using var bench = await Bench.MakeAsync();
        await using var proxy = new LossyProxy(bench.Address);
        var storage = await bench.OpenAsync(address: proxy.Address);
        await using var log = await storage.OpenLogAsync(Bench.Key, default);
        for (var i = 1; i <= 5; i++)
        {
            proxy.LoseNextCommit();
            await log.AppendAsync([Bench.Record(2 * i - 1)], default);
            await log.AppendAsync([Bench.Record(2 * i)], default);
        }

        Assert.Equal(5, proxy.Lost);
        Assert.Equal(11, log.NextOperation);
        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), (await Bench.ReadAsync(log)).Select(r => r.FirstOperation));
    }

    [Fact]
    public async Task An_append_in_doubt_is_settled_once_the_database_is_reached_again()
    {
        await using var bench = await Bench.MakeAsync();
        await using var proxy = new LossyProxy(bench.Address);
        var storage = await bench.OpenAsync(new PostgresStorageOptions { RetryFor = TimeSpan.Zero }, proxy.Address);
        await using var log = await storage.OpenLogAsync(Bench.Key, default);
        await log.AppendAsync([Bench.Record(1)], default);
        proxy.LoseNextCommit(thenRefuse: true);
        var error = await Assert.ThrowsAsync<IOException>(async () => await log.AppendAsync([Bench.Record(2)], default));
        Assert.Contains("operations 2 to 2", error.Message);
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<GranaryException>(async () => await log.HeadAsync(default))).Kind);
        proxy.LetThrough();
        Assert.Equal(3, await log.HeadAsync(default));
        await log.AppendAsync([Bench.Record(3)], default);
        Assert.Equal([1, 2, 3], (await Bench.ReadAsync(log)).Select(r => r.FirstOperation));
    }

    [Fact]
    public async Task A_writer_goes_on_behind_a_group_that_got_in_after_its_callers_were_told_of_a_failure()
    {
        await using var bench = await Bench.MakeAsync();
        await using var proxy = new LossyProxy(bench.Address);
        var storage = await bench.OpenAsync(new PostgresStorageOptions { RetryFor = TimeSpan.Zero }, proxy.Address);
        var log = await storage.OpenLogAsync(Bench.Key, default);
        var bell = new Bell();
        await using var writer = new PartitionWriter(Bench.Key, log, bell, null, new PhaseTimings());
        Assert.Equal(1, await writer.AppendAsync(new byte[] { 1 }, 1));
        proxy.LoseNextCommit(thenRefuse: true);
        await Assert.ThrowsAsync<GranaryException>(async () => await writer.AppendAsync(new byte[] { 2 }, 1));
        Assert.Equal(ErrorKind.Unavailable,
            (await Assert.ThrowsAsync<GranaryException>(async () => await writer.AppendAsync(new byte[] { 3 }, 1))).Kind);
        Assert.Null(writer.Fault);
        proxy.LetThrough();
        Assert.Equal(3, await writer.AppendAsync(new byte[] { 4 }, 1));
        Assert.Equal([1, 2, 4], (await Bench.ReadAsync(log)).Select(r => (int)r.Operations.Span[0]));
        Assert.Equal([(1, 1), (2, 2), (3, 3)], bell.Rings);
    }

    [Fact]
    public async Task A_catalog_commit_whose_answer_is_lost_is_told_as_made()
    {
        await using var bench = await Bench.MakeAsync();
        var storage = await bench.OpenAsync();
        Assert.True(await storage.Catalog.TryCommitAsync([new CatalogChange("a", 0, new byte[] { 1 })], default));
        // The commit is one statement of its own; what is cut is the session, while it waits for the table.
        await using var holder = await bench.ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var hold = new Npgsql.NpgsqlCommand("LOCK TABLE granary.catalog IN SHARE ROW EXCLUSIVE MODE", holder))
            await hold.ExecuteNonQueryAsync();
        var committing = storage.Catalog.TryCommitAsync([new CatalogChange("a", 1, new byte[] { 2 })], default).AsTask();
        // Of this database alone: other tests' sessions wait for locks, too.
        const string waiting =
            "FROM pg_stat_activity WHERE datname = current_database() AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted)";
        while (await bench.ScalarAsync<long>($"SELECT count(*) {waiting}") == 0)
            await Task.Yield();
        await bench.ExecuteAsync($"SELECT pg_terminate_backend(pid) {waiting}");
        await transaction.RollbackAsync();
        Assert.True(await committing);
        Assert.Equal(2, (await storage.Catalog.GetAsync("a", default))!.Version);
    }

    private sealed class Bell : IFeed
    {
        public List<(long, long)> Rings { get; } = [];

        public void Ring(long firstOperation, long lastOperation) => Rings.Add((firstOperation, lastOperation));
    }
}
