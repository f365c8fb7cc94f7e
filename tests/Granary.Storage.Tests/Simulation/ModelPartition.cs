using Granary.Collections.Ports;
using Granary.Storage.Files;

namespace Granary.Storage.Tests.Simulation;

/// <summary>What a partition must hold: everything acknowledged, and in flight at most one thing, whole or not at all.</summary>
internal sealed class ModelPartition(PartitionKey key)
{
    private static readonly CancellationToken None = CancellationToken.None;
    private List<LogRecord> _records = [];
    private LogRecord[] _appending = [];
    private List<long> _checkpoints = [];
    private long? _publishing;
    private long? _deleting;
    private long _truncated = 1;
    private long _truncating = 1;
    private bool _dropping;

    /// <summary>Everything up to here was synced, whatever the durability.</summary>
    private long _synced;
    private IPartitionLog? _log;
    private ICheckpointStore? _store;

    public PartitionKey Key => key;

    public long Next => _log!.NextOperation;

    public bool InFlight => _appending.Length > 0 || _publishing is not null || _deleting is not null || _dropping
        || _truncating > _truncated;

    public async Task OpenAsync(FileStorage storage)
    {
        _log = await storage.OpenLogAsync(key, None);
        _synced = _log.NextOperation - 1;
        _store = await storage.OpenCheckpointsAsync(key, None);
    }

    public async Task ReopenLogAsync(FileStorage storage)
    {
        var before = _log!;
        _log = await storage.OpenLogAsync(key, None);
        await before.DisposeAsync();
        Assert.Equal(_records.Count == 0 ? 1 : _records[^1].LastOperation + 1, _log.NextOperation);
        _synced = _log.NextOperation - 1;
    }

    public async Task AppendAsync(LogRecord[] records)
    {
        _appending = records;
        await _log!.AppendAsync(records, None);
        _records.AddRange(records);
        _appending = [];
    }

    public async Task CheckpointAsync(Random random)
    {
        var operation = Next - 1;
        if (operation == 0 || _checkpoints.Contains(operation))
            return;
        _publishing = operation;
        await using (var builder = await _store!.BeginAsync(operation, None))
        {
            using (var stream = builder.Create("operations"))
                stream.Write(Content(operation));
            using (var stream = builder.Create("manifest"))
                stream.WriteByte(1);
            if (random.Next(5) == 0)
            {
                _publishing = null;
                return;
            }

            await builder.PublishAsync(None);
        }

        _checkpoints.Add(operation);
        (_publishing, _synced) = (null, operation);
        if (_checkpoints.Count > 2)
        {
            _deleting = _checkpoints[0];
            var oldest = (await _store.ListAsync(None))[^1];
            Assert.Equal(_deleting, oldest.Operation);
            await _store.DeleteAsync(oldest, None);
            _checkpoints.RemoveAt(0);
            _deleting = null;
        }
    }

    public async Task TruncateAsync()
    {
        if (_checkpoints.Count == 0)
            return;
        _truncating = Math.Max(_truncating, _checkpoints[0] + 1);
        await _log!.TruncateAsync(_truncating, None);
        _truncated = _truncating;
    }

    public async Task DropAsync(FileStorage storage)
    {
        _dropping = true;
        await storage.DropCollectionAsync(key.Incarnation, None);
        Forget();
        await _log!.DisposeAsync();
        await OpenAsync(storage);
    }

    /// <summary>Compares what a start finds with what must be there, and goes on from what was found.</summary>
    public async Task CheckAsync(FileStorage storage, bool disk, string place)
    {
        if (_dropping && !(await storage.ListIncarnationsAsync(None)).Contains(key.Incarnation))
            Forget();
        await using var log = await storage.OpenLogAsync(key, None);
        var first = log.FirstOperation;
        Assert.True(first <= Math.Max(1, _truncating), $"{place}: the log begins at {first}, truncated before {_truncating}");

        var found = new List<LogRecord>();
        await foreach (var record in log.ReadAsync(first, None))
            found.Add(record);
        var expected = _records.Concat(_appending).Where(r => r.FirstOperation >= first).ToList();
        Assert.True(found.Count <= expected.Count, $"{place}: {found.Count - expected.Count} records were invented");
        for (var i = 0; i < found.Count; i++)
        {
            Assert.True(
                found[i].FirstOperation == expected[i].FirstOperation && found[i].BatchId == expected[i].BatchId
                    && found[i].Operations.Span.SequenceEqual(expected[i].Operations.Span),
                $"{place}: record {expected[i].FirstOperation} is not what was appended");
        }

        var acknowledged = _records.Count == 0 ? 0 : _records[^1].LastOperation;
        var last = log.NextOperation - 1;
        Assert.True(last >= (disk ? acknowledged : _synced),
            $"{place}: acknowledged up to {acknowledged}, synced up to {_synced}, found up to {last}");
        if (_appending.Length > 0 && last > acknowledged)
            Assert.Equal(_appending[^1].LastOperation, last);

        await CheckCheckpointsAsync(storage, place, last);
        _records = [.. _records.Concat(_appending).Where(r => r.LastOperation <= last)];
        (_appending, _publishing, _deleting, _dropping, _synced) = ([], null, null, false, last);
        _truncated = _truncating;
    }

    private static byte[] Content(long operation) => [.. Enumerable.Range(0, 500).Select(i => (byte)(i * operation))];

    private async Task CheckCheckpointsAsync(FileStorage storage, string place, long last)
    {
        await using var store = await storage.OpenCheckpointsAsync(key, None);
        var listed = new List<long>();
        foreach (var checkpoint in await store.ListAsync(None))
        {
            await using var reader = await store.OpenAsync(checkpoint, None);
            using var stream = reader.Open("operations");
            var bytes = new byte[500];
            stream.ReadExactly(bytes);
            Assert.Equal(Content(checkpoint.Operation), bytes);
            Assert.True(checkpoint.Operation <= last,
                $"{place}: checkpoint {checkpoint.Operation} holds more than the log, which ends with {last}");
            listed.Insert(0, checkpoint.Operation);
        }

        var must = _checkpoints.Where(c => c != _deleting);
        var may = _checkpoints.Append(_publishing ?? -1);
        Assert.True(!must.Except(listed).Any(), $"{place}: a published checkpoint is missing");
        Assert.True(!listed.Except(may).Any(), $"{place}: a checkpoint came back that was deleted or never published");
        _checkpoints = listed;
    }

    private void Forget()
    {
        (_records, _appending, _checkpoints) = ([], [], []);
        (_publishing, _deleting, _truncated, _truncating, _synced, _dropping) = (null, null, 1, 1, 0, false);
    }
}
