using Granary.Collections.Ports;
using Granary.Index;
using Xunit;

namespace Granary.Storage.Conformance;

/// <content>Logs opened for reading beside their writer.</content>
public abstract partial class StorageConformance
{
    [Fact]
    public async Task A_reader_follows_the_writer_and_does_not_fence_it()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 3);
        await using var reader = await Storage.OpenLogReaderAsync(Key, None);
        Assert.Equal((4, 1), (reader.NextOperation, reader.FirstOperation));
        await AppendAsync(log, Record(4, 10));
        Assert.Equal(14, await reader.HeadAsync(None));
        Assert.Equal(14, reader.NextOperation);
        await FillAsync(log, 1);
        var read = await ReadAsync(reader, 3);
        Assert.Equal([3, 4, 14], read.Select(r => r.FirstOperation));
        AssertSame(Record(4, 10), read[1]);
        Assert.Empty(await ReadAsync(reader, 15));
    }

    [Fact]
    public async Task A_reader_of_a_log_that_was_never_written_finds_it_empty()
    {
        await using var reader = await Storage.OpenLogReaderAsync(Key, None);
        Assert.Equal((1, 1), (reader.NextOperation, reader.FirstOperation));
        Assert.Empty(await ReadAsync(reader, 1));
        Assert.Equal(1, await reader.HeadAsync(None));
        Assert.Empty(await Storage.ListIncarnationsAsync(None));

        await using var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 2);
        Assert.Equal(3, await reader.HeadAsync(None));
        Assert.Equal(2, (await ReadAsync(reader, 1)).Count);
    }

    [Fact]
    public async Task A_reader_goes_on_with_the_next_writer()
    {
        var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 2);
        await using var reader = await Storage.OpenLogReaderAsync(Key, None);
        await using var second = await Storage.OpenLogAsync(Key, None);
        await FillAsync(second, 2);
        Assert.Equal(4, (await ReadAsync(reader, 1)).Count);
        await second.DisposeAsync();
        Assert.Equal(5, await reader.HeadAsync(None));
        Assert.Equal(4, (await ReadAsync(reader, 1)).Count);
        await using var third = await Storage.OpenLogAsync(Key, None);
        await FillAsync(third, 2);
        Assert.Equal(6, (await ReadAsync(reader, 1)).Count);
    }

    [Fact]
    public async Task A_reader_learns_of_truncation_and_of_the_end()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        await FillAsync(log, 100, 500);
        await using var reader = await Storage.OpenLogReaderAsync(Key, None);
        await log.TruncateAsync(60, None);
        await reader.HeadAsync(None);
        Assert.Equal(log.FirstOperation, reader.FirstOperation);
        if (reader.FirstOperation > 1)
        {
            var error = await Assert.ThrowsAsync<LogTruncatedException>(async () => await ReadAsync(reader, 1));
            Assert.Equal(log.FirstOperation, error.First);
        }

        Assert.Equal(41, (await ReadAsync(reader, 60)).Count);
        await Storage.DropCollectionAsync(Key.Incarnation, None);
        Assert.Equal(
            ErrorKind.NotFound, (await Assert.ThrowsAsync<GranaryException>(async () => await reader.HeadAsync(None))).Kind);
    }

    [Fact]
    public async Task A_closed_reader_refuses_work()
    {
        await using var log = await Storage.OpenLogAsync(Key, None);
        var reader = await Storage.OpenLogReaderAsync(Key, None);
        await reader.DisposeAsync();
        await reader.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await reader.HeadAsync(None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await ReadAsync(reader, 1));
        await FillAsync(log, 1);
    }
}
