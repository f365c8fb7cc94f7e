using Granary.Collections.Ports;
using Xunit;

namespace Granary.Storage.Conformance;

/// <content>Logs.</content>
public abstract partial class StorageConformance
{
    [Fact]
    public async Task A_new_log_is_empty_and_begins_with_operation_1()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        Assert.Equal(1, log.NextOperation);
        Assert.Equal(1, log.FirstOperation);
        Assert.Null(log.RecoveryNote);
        Assert.Empty(await ReadAsync(log, 1));
    }

    [Fact]
    public async Task Records_are_read_as_they_were_appended()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        LogRecord[] records = [Record(1), Record(2, 10, 1000), Record(12, 1, 0), Record(13, 3)];
        await AppendAsync(log, records[0]);
        await AppendAsync(log, records[1..]);
        Assert.Equal(16, log.NextOperation);
        var read = await ReadAsync(log, 1);
        Assert.Equal(4, read.Count);
        for (var i = 0; i < 4; i++)
            AssertSame(records[i], read[i]);
    }

    [Fact]
    public async Task Reading_begins_with_the_record_that_holds_the_operation()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await AppendAsync(log, Record(1), Record(2, 10), Record(12));
        Assert.Equal([2L, 12], (await ReadAsync(log, 5)).Select(r => r.FirstOperation));
        Assert.Equal([12L], (await ReadAsync(log, 12)).Select(r => r.FirstOperation));
        Assert.Empty(await ReadAsync(log, 13));
    }

    [Fact]
    public async Task The_appended_memory_may_be_used_again_at_once()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        var bytes = new byte[] { 1, 2, 3 };
        await AppendAsync(log, new LogRecord(1, 1, Guid.NewGuid(), bytes));
        bytes.AsSpan().Clear();
        Assert.Equal([1, 2, 3], (await ReadAsync(log, 1))[0].Operations.ToArray());
    }

    [Fact]
    public async Task Appending_nothing_changes_nothing()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await log.AppendAsync([], None);
        Assert.Equal(1, log.NextOperation);
    }

    [Fact]
    public async Task Records_out_of_sequence_are_refused_and_nothing_of_their_group_is_kept()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await AppendAsync(log, Record(1));
        await Assert.ThrowsAsync<ArgumentException>(async () => await AppendAsync(log, Record(2), Record(4)));
        await Assert.ThrowsAsync<ArgumentException>(async () => await AppendAsync(log, Record(1)));
        await Assert.ThrowsAsync<ArgumentException>(async () => await AppendAsync(log, Record(2, 0)));
        Assert.Equal(2, log.NextOperation);
        Assert.Single(await ReadAsync(log, 1));
        await AppendAsync(log, Record(2));
        Assert.Equal(2, (await ReadAsync(log, 1)).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_acknowledged_is_there_after_reopening(bool killed)
    {
        var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 20);
        await AppendAsync(log, Record(21, 5), Record(26));
        if (!killed)
            await log.DisposeAsync();
        await ReopenAsync(killed);

        await using var again = await Storage.OpenLogAsync(Key, None);
        Assert.Equal(27, again.NextOperation);
        Assert.Null(again.RecoveryNote);
        var read = await ReadAsync(again, 1);
        Assert.Equal(22, read.Count);
        AssertSame(Record(21, 5), read[20]);
        await FillAsync(again, 1);
        Assert.Equal(23, (await ReadAsync(again, 1)).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_next_operation_survives_truncation_and_reopening(bool killed)
    {
        var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 100, 500);
        await log.TruncateAsync(101, None);
        Assert.Equal(101, log.NextOperation);
        if (!killed)
            await log.DisposeAsync();
        await ReopenAsync(killed);

        await using var again = await Storage.OpenLogAsync(Key, None);
        Assert.Equal(101, again.NextOperation);
        Assert.InRange(again.FirstOperation, 1, 101);
        await FillAsync(again, 1);
        AssertSame(Record(101, bytes: 40), (await ReadAsync(again, 101)).Single());
    }

    [Fact]
    public async Task Truncation_keeps_what_it_must_and_says_what_is_gone()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 100, 500);
        await log.TruncateAsync(60, None);
        Assert.InRange(log.FirstOperation, 1, 60);
        Assert.Equal(41, (await ReadAsync(log, 60)).Count);
        if (log.FirstOperation > 1)
        {
            var error = await Assert.ThrowsAsync<LogTruncatedException>(async () => await ReadAsync(log, log.FirstOperation - 1));
            Assert.Equal(log.FirstOperation, error.First);
        }

        await log.TruncateAsync(10, None);
        Assert.Equal(41, (await ReadAsync(log, 60)).Count);
    }

    [Fact]
    public async Task A_record_that_reaches_over_the_truncation_stays()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await AppendAsync(log, Record(1, 10), Record(11, 10));
        await log.TruncateAsync(15, None);
        Assert.Equal(11, (await ReadAsync(log, 15)).Single().FirstOperation);
    }

    [Fact]
    public async Task Opening_a_log_again_fences_its_writer()
    {
        await using var stale = await Storage.OpenLogAsync(Key, None);
        await AppendAsync(stale, Record(1));
        await using var log = await Storage.OpenLogAsync(Key, None);
        await Assert.ThrowsAsync<LogConflictException>(async () => await AppendAsync(stale, Record(2)));
        await Assert.ThrowsAsync<LogConflictException>(async () => await stale.TruncateAsync(2, None));
        Assert.Equal(2, log.NextOperation);
        await AppendAsync(log, Record(2));
        Assert.Equal(2, (await ReadAsync(log, 1)).Count);
    }

    [Fact]
    public async Task Fencing_amid_appends_never_forks_the_log()
    {
        var acknowledged = new List<Guid>();
        for (var round = 0; round < 10; round++)
        {
            await using var stale = await Storage.OpenLogAsync(Key, None);
            var begun = new TaskCompletionSource();
            var writing = Task.Run(async () =>
            {
                try
                {
                    for (var i = 0; ; i++)
                    {
                        var record = Record(stale.NextOperation) with { BatchId = Guid.NewGuid() };
                        await AppendAsync(stale, record);
                        acknowledged.Add(record.BatchId);
                        if (i == 3)
                            begun.SetResult();
                    }
                }
                catch (LogConflictException)
                {
                }
            });
            await begun.Task;
            await using var log = await Storage.OpenLogAsync(Key, None);
            await writing;
            Assert.Equal(acknowledged.Count + 1, log.NextOperation);
            Assert.Equal(acknowledged, (await ReadAsync(log, 1)).Select(r => r.BatchId));
        }
    }

    [Fact]
    public async Task A_closed_log_refuses_appends()
    {
        var log = await Storage.OpenLogAsync(Key, None);
        await log.DisposeAsync();
        await log.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await AppendAsync(log, Record(1)));
    }

    [Fact]
    public async Task A_cancelled_append_appends_nothing()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await log.AppendAsync([Record(1)], new CancellationToken(true)));
        Assert.Equal(1, log.NextOperation);
    }

    [Fact]
    public async Task A_record_of_50_MB_goes_in_and_comes_out()
    {
        var large = Record(2, 1000, 50_000_000);
        var log = await Storage.OpenLogAsync(Key, None);
        await AppendAsync(log, Record(1), large, Record(1002));
        await log.DisposeAsync();
        await ReopenAsync(killed: false);
        await using var again = await Storage.OpenLogAsync(Key, None);
        var read = await ReadAsync(again, 1);
        Assert.Equal(3, read.Count);
        AssertSame(large, read[1]);
    }

    [Fact]
    public async Task A_group_of_5000_records_goes_in_by_one_append()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await log.AppendAsync([.. Enumerable.Range(1, 5000).Select(i => Record(i, 1, 20))], None);
        var read = await ReadAsync(log, 1);
        Assert.Equal(Enumerable.Range(1, 5000).Select(i => (long)i), read.Select(r => r.FirstOperation));
        AssertSame(Record(4999, 1, 20), read[4998]);
    }

    [Fact]
    public async Task Many_partitions_keep_to_themselves()
    {
        var logs = new List<IPartitionLog>();
        for (var i = 0; i < 40; i++)
            logs.Add(await Storage.OpenLogAsync(Key with { Number = i }, None));
        await Parallel.ForAsync(0, logs.Count, async (i, _) =>
        {
            for (var n = 0; n <= i; n++)
                await AppendAsync(logs[i], Record(n + 1));
        });
        foreach (var log in logs)
            await log.DisposeAsync();
        await ReopenAsync(killed: false);
        for (var i = 0; i < 40; i++)
        {
            await using var log = await Storage.OpenLogAsync(Key with { Number = i }, None);
            Assert.Equal(i + 2, log.NextOperation);
        }
    }

    [Fact]
    public async Task A_batch_is_found_by_its_name_among_the_operations_asked_for()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        var names = new List<Guid>();
        for (var i = 0; i < 6; i++)
        {
            var record = new LogRecord(log.NextOperation, 4, Guid.NewGuid(), new byte[30]);
            names.Add(record.BatchId);
            await log.AppendAsync([record], None);
        }

        await using var reader = await Storage.OpenLogReaderAsync(Key, None);
        foreach (var from in new ILogReader[] { log, reader })
        {
            Assert.Equal(4, await from.FindBatchAsync(names[0], 1, None));
            Assert.Equal(24, await from.FindBatchAsync(names[5], 1, None));
            // The record holds operations 9 to 12.
            Assert.Equal(12, await from.FindBatchAsync(names[2], 12, None));
            Assert.Null(await from.FindBatchAsync(names[2], 13, None));
            Assert.Null(await from.FindBatchAsync(Guid.NewGuid(), 1, None));
            var all = names.Select(static (name, i) => (name, (i + 1) * 4L)).ToList();
            Assert.Equal(all, await from.BatchesAsync(1, None).ToListAsync());
            Assert.Equal(all[2..], await from.BatchesAsync(12, None).ToListAsync());
            Assert.Equal(all[3..], await from.BatchesAsync(13, None).ToListAsync());
            Assert.Empty(await from.BatchesAsync(25, None).ToListAsync());
        }

        await log.TruncateAsync(9, None);
        // A storage may keep more than it must: the record holds operations 5 to 8.
        Assert.Equal(log.FirstOperation > 8 ? null : 8L, await log.FindBatchAsync(names[1], 1, None));
        Assert.Equal(12, await log.FindBatchAsync(names[2], 1, None));
        var kept = await log.BatchesAsync(1, None).ToListAsync();
        Assert.Equal(names[^kept.Count..], kept.Select(static b => b.Batch));
        Assert.InRange(kept.Count, 4, 6);
    }

    [Fact]
    public async Task Readers_see_whole_prefixes_while_the_log_grows_and_is_truncated()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var (from, next) = (log.FirstOperation, log.NextOperation);
                try
                {
                    var expected = from;
                    await foreach (var record in log.ReadAsync(from, None))
                    {
                        Assert.Equal(expected, record.FirstOperation);
                        AssertSame(Record(expected, bytes: 300), record);
                        expected++;
                    }

                    Assert.True(expected >= next, $"read up to {expected}, {next} was acknowledged before");
                }
                catch (LogTruncatedException e)
                {
                    Assert.True(e.First > from);
                }
            }
        })).ToArray();

        for (var i = 0; i < 60; i++)
        {
            await FillAsync(log, 10, 300);
            if (i % 7 == 6)
                await log.TruncateAsync(log.NextOperation - 25, None);
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
    }

    [Fact]
    public async Task A_reading_begun_before_a_truncation_goes_on_or_says_what_is_gone()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 100, 500);
        await using var reading = log.ReadAsync(1, None).GetAsyncEnumerator();
        Assert.True(await reading.MoveNextAsync());
        await log.TruncateAsync(101, None);
        var expected = 1L;
        try
        {
            do
                Assert.Equal(expected++, reading.Current.FirstOperation);
            while (await reading.MoveNextAsync());
            Assert.Equal(101, expected);
        }
        catch (LogTruncatedException e)
        {
            Assert.Equal(log.FirstOperation, e.First);
        }
    }

    [Fact]
    public async Task A_dropped_collection_is_gone_and_its_logs_are_fenced()
    {
        var other = new PartitionKey(Guid.NewGuid(), 0);
        await using var kept = await Storage.OpenLogAsync(other, None);
        await AppendAsync(kept, Record(1));
        await using var log = await Storage.OpenLogAsync(Key, None);
        await AppendAsync(log, Record(1));
        Assert.Equal(new HashSet<Guid> { Key.Incarnation, other.Incarnation }, [.. await Storage.ListIncarnationsAsync(None)]);

        await Storage.DropCollectionAsync(Key.Incarnation, None);
        await Storage.DropCollectionAsync(Key.Incarnation, None);
        await Assert.ThrowsAsync<LogConflictException>(async () => await AppendAsync(log, Record(2)));
        Assert.Equal([other.Incarnation], await Storage.ListIncarnationsAsync(None));
        await ReopenAsync(killed: true);
        Assert.Equal([other.Incarnation], await Storage.ListIncarnationsAsync(None));
        await using var again = await Storage.OpenLogAsync(Key, None);
        Assert.Equal(1, again.NextOperation);
    }

    [Fact]
    public async Task Size_grows_with_what_is_appended()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        var before = log.SizeInBytes;
        await FillAsync(log, 1, 10_000);
        Assert.True(log.SizeInBytes >= before + 10_000);
    }
}
