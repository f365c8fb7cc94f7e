using Granary.Collections.Ports;
using Granary.Index;
using Npgsql;

namespace Granary.Storage.Postgres.Tests;

/// <summary>What the database refuses, what it holds damaged, and who holds it up.</summary>
public sealed class RefusalTests
{
    [Fact]
    public async Task A_refused_group_names_its_bad_record_and_leaves_nothing()
    {
        await using var bench = await Bench.MakeAsync();
        await using var log = await (await bench.OpenAsync()).OpenLogAsync(Bench.Key, default);
        await log.AppendAsync([Bench.Record(1)], default);
        await bench.ExecuteAsync($"ALTER TABLE {Bench.LogTable} ADD CONSTRAINT small CHECK (octet_length(operations) < 1000)");
        var bad = Bench.Record(3, 5000);
        var error = await Assert.ThrowsAsync<GranaryException>(
            async () => await log.AppendAsync([Bench.Record(2), bad, Bench.Record(4)], default));
        Assert.Contains("record 1 of 3", error.Message);
        Assert.Contains(bad.BatchId.ToString(), error.Message);
        Assert.Contains("operations 3 to 3, 5000 bytes", error.Message);
        Assert.Contains("small", error.Message);
        Assert.Equal(2, log.NextOperation);
        await log.AppendAsync([Bench.Record(2)], default);
        Assert.Equal(2, (await Bench.ReadAsync(log)).Count);
    }

    [Theory]
    [InlineData("53100", "the disk is full")]
    [InlineData("25006", "read-only")]
    public async Task No_room_and_read_only_are_told_as_such_and_appends_go_on_afterwards(string state, string told)
    {
        await using var bench = await Bench.MakeAsync();
        await using var log = await (await bench.OpenAsync()).OpenLogAsync(Bench.Key, default);
        await bench.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN RAISE EXCEPTION USING ERRCODE = ''{state}'', MESSAGE = ''refused by a test''; END';
            CREATE TRIGGER refuse BEFORE INSERT ON {Bench.LogTable} FOR EACH ROW EXECUTE FUNCTION refuse();
            """);
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await log.AppendAsync([Bench.Record(1)], default));
        Assert.Equal(ErrorKind.InsufficientStorage, error.Kind);
        Assert.Contains(told, error.Message);
        await bench.ExecuteAsync($"DROP TRIGGER refuse ON {Bench.LogTable}");
        await log.AppendAsync([Bench.Record(1)], default);
        Assert.Single(await Bench.ReadAsync(log));
    }

    [Fact]
    public async Task A_writer_stopped_amid_a_transaction_does_not_keep_the_next_one_out()
    {
        await using var bench = await Bench.MakeAsync();
        var storage = await bench.OpenAsync(new PostgresStorageOptions { EvictAfter = TimeSpan.FromMilliseconds(50) });
        await using var stale = await storage.OpenLogAsync(Bench.Key, default);
        await stale.AppendAsync([Bench.Record(1)], default);
        await using var stopped = await bench.ConnectAsync();
        await using var transaction = await stopped.BeginTransactionAsync();
        await using (var advance = new NpgsqlCommand("UPDATE granary.log_head SET next_op = 3", stopped))
            Assert.Equal(1, await advance.ExecuteNonQueryAsync());

        await using var log = await storage.OpenLogAsync(Bench.Key, default);
        Assert.Equal(2, log.NextOperation);
        await log.AppendAsync([Bench.Record(2)], default);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync());
        await Assert.ThrowsAsync<LogConflictException>(async () => await stale.AppendAsync([Bench.Record(2)], default));
        Assert.Equal(2, (await Bench.ReadAsync(log)).Count);
    }

    [Fact]
    public async Task Two_processes_on_one_database_never_fork_a_log()
    {
        await using var bench = await Bench.MakeAsync();
        var (one, other) = (await bench.OpenAsync(), await bench.OpenAsync());
        await using var first = await one.OpenLogAsync(Bench.Key, default);
        await first.AppendAsync([Bench.Record(1)], default);
        await using var second = await other.OpenLogAsync(Bench.Key, default);
        var error = await Assert.ThrowsAsync<LogConflictException>(async () => await first.AppendAsync([Bench.Record(2)], default));
        Assert.Contains("opened by another writer", error.Message);
        await second.AppendAsync([Bench.Record(2)], default);
        await Assert.ThrowsAsync<LogConflictException>(async () => await first.AppendAsync([Bench.Record(2)], default));
        Assert.Equal(2, (await Bench.ReadAsync(second)).Count);
    }

    [Fact]
    public async Task Partitions_of_one_new_collection_may_be_opened_everywhere_at_once()
    {
        await using var bench = await Bench.MakeAsync();
        var storages = new List<PostgresStorage>();
        for (var i = 0; i < 4; i++)
            storages.Add(await bench.OpenAsync());
        for (var round = 0; round < 5; round++)
        {
            var incarnation = Guid.NewGuid();
            var logs = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
                await storages[i % 4].OpenLogAsync(new PartitionKey(incarnation, i), default))));
            await Task.WhenAll(logs.Select(async log => await log.AppendAsync([Bench.Record(1)], default)));
            Assert.Equal(16L, await bench.ScalarAsync<long>($"SELECT count(*) FROM granary.log WHERE incarnation = '{incarnation}'"));
            await storages[0].DropCollectionAsync(incarnation, default);
            Assert.Equal(0L, await bench.ScalarAsync<long>($"SELECT count(*) FROM granary.log WHERE incarnation = '{incarnation}'"));
        }
    }

    [Fact]
    public async Task A_damaged_record_is_refused_by_its_place()
    {
        await using var bench = await Bench.MakeAsync();
        await using var log = await (await bench.OpenAsync()).OpenLogAsync(Bench.Key, default);
        await log.AppendAsync([Bench.Record(1), Bench.Record(2), Bench.Record(3)], default);
        await bench.ExecuteAsync(
            $"UPDATE {Bench.LogTable} SET operations = set_byte(operations, 7, get_byte(operations, 7) # 1) WHERE first_op = 2");
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await Bench.ReadAsync(log));
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
        Assert.Contains($"table {Bench.LogTable}, partition 3, first_op 2", error.Message);
        await bench.ExecuteAsync($"DELETE FROM {Bench.LogTable} WHERE first_op = 2");
        var again = await bench.OpenAsync();
        error = await Assert.ThrowsAsync<GranaryException>(async () => await again.OpenLogAsync(Bench.Key, default));
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
    }

    [Fact]
    public async Task Operations_are_kept_as_they_are_without_trying_to_compress_them()
    {
        await using var bench = await Bench.MakeAsync();
        await using var log = await (await bench.OpenAsync()).OpenLogAsync(Bench.Key, default);
        await log.AppendAsync([new LogRecord(1, 1, Guid.NewGuid(), new byte[100_000])], default);
        Assert.Equal(100_000, await bench.ScalarAsync<int>($"SELECT pg_column_size(operations) FROM {Bench.LogTable}"));
    }
}
