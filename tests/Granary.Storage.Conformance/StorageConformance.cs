using Granary.Collections.Ports;
using Xunit;

namespace Granary.Storage.Conformance;

/// <summary>
/// What every storage must do. A backend derives from it, says how to open one that is empty and how to open the same one again,
/// and so runs every test here.
/// </summary>
public abstract partial class StorageConformance : IAsyncLifetime
{
    private IStorage? _storage;

    protected IStorage Storage => _storage ?? throw new InvalidOperationException("the test has not begun");

    protected static CancellationToken None => CancellationToken.None;

    protected static PartitionKey Key { get; } = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 0);

    /// <summary>Opens storage with nothing in it.</summary>
    protected abstract Task<IStorage> OpenEmptyAsync();

    /// <summary>Opens the same storage again; the one before is disposed, or abandoned as a killed process would leave it.</summary>
    protected abstract Task<IStorage> OpenAgainAsync(IStorage before, bool killed);

    public virtual async Task InitializeAsync() => _storage = await OpenEmptyAsync();

    public virtual async Task DisposeAsync() => await Storage.DisposeAsync();

    protected async Task ReopenAsync(bool killed)
    {
        if (!killed)
            await Storage.DisposeAsync();
        _storage = await OpenAgainAsync(Storage, killed);
    }

    protected static LogRecord Record(long first, int count = 1, int bytes = 40)
    {
        var operations = new byte[bytes];
        new Random((int)first).NextBytes(operations);
        return new LogRecord(first, count, new Guid((int)first, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), operations);
    }

    protected static ValueTask AppendAsync(IPartitionLog log, params LogRecord[] records) => log.AppendAsync(records, None);

    /// <summary>Appends records of one operation each, one call a record.</summary>
    protected static async Task FillAsync(IPartitionLog log, int count, int bytes = 40)
    {
        for (var i = 0; i < count; i++)
            await AppendAsync(log, Record(log.NextOperation, bytes: bytes));
    }

    protected static async Task<List<LogRecord>> ReadAsync(ILogReader log, long from)
    {
        var records = new List<LogRecord>();
        await foreach (var record in log.ReadAsync(from, None))
            records.Add(record);
        return records;
    }

    protected static void AssertSame(LogRecord expected, LogRecord actual)
    {
        Assert.Equal(expected.FirstOperation, actual.FirstOperation);
        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.BatchId, actual.BatchId);
        Assert.True(expected.Operations.Span.SequenceEqual(actual.Operations.Span),
            $"the bytes of record {expected.FirstOperation} differ");
    }
}
