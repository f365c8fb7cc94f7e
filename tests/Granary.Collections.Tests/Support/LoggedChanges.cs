using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Support;

/// <summary>A partition's log in memory, the replicas that follow it, and one writer that logs random changes.</summary>
internal sealed class LoggedChanges : IAsyncDisposable
{
    private readonly MemoryStorage _storage;
    private readonly IPartitionLog _log;
    private readonly PartitionKey _key;
    private readonly IndexSchema _schema;
    private PartitionWriter? _writer;

    private LoggedChanges(MemoryStorage storage, IPartitionLog log, PartitionKey key, IndexSchema schema, int seed) =>
        (_storage, _log, _key, _schema, Operations) = (storage, log, key, schema, new RandomOperations(seed));

    /// <summary>Where changes come from, and what they should have led to.</summary>
    public RandomOperations Operations { get; }

    /// <summary>The newest operation in the log.</summary>
    public long Logged => _writer!.Logged;

    public static async Task<LoggedChanges> OpenAsync(int seed, IndexSchema? schema = null)
    {
        var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        return new LoggedChanges(storage, await storage.OpenLogAsync(key, default), key, schema ?? Fixture.Plain.Schema, seed);
    }

    /// <summary>A replica of that number, which follows the log from its checkpoints on.</summary>
    public Task<Replica> FollowAsync(int number = 0, LogTail? tail = null) =>
        Replica.OpenAsync(_storage, _log, _key with { Number = number }, _schema, tail);

    /// <summary>The same beside the writer, as in another process: it has a reader of the log only.</summary>
    public async Task<Replica> FollowBesideAsync(int number, Func<ILogReader, ILogReader>? wrap = null)
    {
        var reader = await _storage.OpenLogReaderAsync(_key, default);
        return await Replica.OpenAsync(_storage, wrap?.Invoke(reader) ?? reader, _key with { Number = number }, _schema);
    }

    /// <summary>Begins to write; rings go to <paramref name="feed"/>.</summary>
    public void BeginWriting(IFeed feed, LogTail? tail = null) =>
        _writer = new PartitionWriter(_key, _log, feed, tail, new PhaseTimings());

    /// <summary>Logs that many random batches; <paramref name="logged"/> is told of each record.</summary>
    public async Task WriteAsync(int batches, Action<LogRecord>? logged = null)
    {
        for (var i = 0; i < batches; i++)
        {
            var batch = Operations.Next();
            var count = batch.Operations.Count;
            var bytes = batch.Operations.Detach();
            var last = await _writer!.AppendAsync(bytes, count);
            logged?.Invoke(new LogRecord(last - count + 1, count, Guid.NewGuid(), bytes));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_writer is not null)
            await _writer.DisposeAsync();
        await _storage.DisposeAsync();
    }
}
