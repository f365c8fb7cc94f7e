using Granary.Collections.Catalog;
using Granary.Collections.Partitions;
using Granary.Index;

namespace Granary.Collections;

internal sealed partial class Collection
{
    private static readonly TimeSpan FollowLimit = TimeSpan.FromSeconds(2);

    /// <summary>What the catalog has, where not all partitions have its fields yet; null: it is used.</summary>
    private CollectionConfig? _coming;

    /// <inheritdoc/>
    public async ValueTask<UpdateResult> CreatePayloadIndexAsync(
        PayloadIndexSchema index, WriteOptions options, CancellationToken cancellation = default) =>
        await AnswerAsync(await LogIndexAsync(index, cancellation).ConfigureAwait(false), options, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<UpdateResult> DeletePayloadIndexAsync(
        string path, WriteOptions options, CancellationToken cancellation = default) =>
        await AnswerAsync(await LogIndexRemovalAsync(path, cancellation).ConfigureAwait(false), options, cancellation)
            .ConfigureAwait(false);

    /// <summary>Replaces the settings; a change of vectors or text fields is logged on every partition and waited for.</summary>
    public async ValueTask UpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation) =>
        await AnswerAsync(
            await LogUpdateAsync(change, cancellation).ConfigureAwait(false), new WriteOptions { Wait = true }, cancellation)
            .ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask<LoggedChange> LogIndexAsync(PayloadIndexSchema index, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(index.Path))
            throw GranaryException.BadInput("A payload index needs a field name");
        return LogAsync(
            config => config with
            {
                Schema = config.Schema with
                {
                    PayloadIndexes = [.. config.Schema.PayloadIndexes.Where(i => i.Path != index.Path), index],
                },
            },
            SchemaChange.Create(index), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<LoggedChange> LogIndexRemovalAsync(string path, CancellationToken cancellation) => LogAsync(
        config => config with
        {
            Schema = config.Schema with { PayloadIndexes = [.. config.Schema.PayloadIndexes.Where(i => i.Path != path)] },
        },
        SchemaChange.Drop(path), cancellation);

    /// <inheritdoc/>
    public async ValueTask<LoggedChange> LogUpdateAsync(
        Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation)
    {
        await BeginChangeAsync(cancellation).ConfigureAwait(false);
        try
        {
            var before = Config;
            // What is missing of a change before this one is logged with it: both are compared with what all partitions have.
            _coming = null;
            var document = await _catalog.UpdateAsync(
                Name,
                config =>
                {
                    var changed = change(config);
                    ConfigRules.CheckChange(config, changed);
                    return changed;
                },
                cancellation).ConfigureAwait(false);
            var changes = SchemaChange.Between(before.Schema, document.Config.Schema);
            if (changes.Count > 0)
                return await LogAsync(changes.Operations, changes.Count, document, cancellation).ConfigureAwait(false);
            Use(document.Config);
            return new LoggedChange(Incarnation, [], 0);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> AnswerAsync(LoggedChange change, WriteOptions options, CancellationToken cancellation)
    {
        if (change.Incarnation != Incarnation || (change.Lasts.Length > 0 && change.Lasts.Length != _partitions.Length))
            throw Errors.CollectionNotFound(Name);
        if (change.Lasts.IsEmpty)
            return new(new UpdateResult(null, UpdateStatus.Completed));
        return AnswerAsync(
            [.. _partitions.Zip(change.Lasts, (p, last) => new Appended(p, last - change.Count + 1, last))],
            Config.Ingestion with { Mode = IndexingMode.Asynchronous }, options, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask RefreshAsync(CancellationToken cancellation = default)
    {
        if (_look is null)
            return;
        try
        {
            await _look.ReadAsync().WaitAsync(FollowLimit, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellation.IsCancellationRequested)
        {
            // The catalog does not answer, or not all partitions do: what is known is what there is to go by.
        }
    }

    /// <inheritdoc/>
    public async ValueTask FollowAsync(CollectionConfig config, CancellationToken cancellation)
    {
        await BeginChangeAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (ReferenceEquals(Config, config))
                return;
            // Whoever changes it puts it into the catalog first. A write with a field that its partition's log knows nothing of yet would
            // be logged before the field and could never be applied.
            if (SchemaChange.SameFields(Config.Schema, config.Schema)
                || await AllHaveAsync(config.Schema, cancellation).ConfigureAwait(false))
                Use(config);
            else
                _coming = config;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Follows what the catalog has of this collection, and of no other.</summary>
    private async ValueTask<long> LookAsync()
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limited.CancelAfter(FollowLimit);
        if (await _catalog.LoadAsync(Name, limited.Token).ConfigureAwait(false) is { } document && document.Incarnation == Incarnation)
            await FollowAsync(document.Config, limited.Token).ConfigureAwait(false);
        return 0;
    }

    /// <summary>
    /// Whether every partition has the fields by now; false, too, where one does not answer: the catalog is followed again soon.
    /// </summary>
    private async ValueTask<bool> AllHaveAsync(IndexSchema schema, CancellationToken cancellation)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(FollowLimit);
        try
        {
            var schemas = await Task.WhenAll(_partitions.Select(p => p.SchemaAsync(limited.Token).AsTask())).ConfigureAwait(false);
            return Array.TrueForAll(schemas, s => SchemaChange.SameFields(s, schema));
        }
        catch (Exception e) when (e is GranaryException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Use(CollectionConfig config)
    {
        _coming = null;
        _version = MakeVersion(config);
        _set.Use(config);
    }

    /// <summary>The catalog says what shall be; the logs make it so. A crash in between is made good at the next opening.</summary>
    private async ValueTask<LoggedChange> LogAsync(
        Func<CollectionConfig, CollectionConfig> change, ReadOnlyMemory<byte> operation, CancellationToken cancellation)
    {
        await BeginChangeAsync(cancellation).ConfigureAwait(false);
        try
        {
            var document = await _catalog.UpdateAsync(Name, change, cancellation).ConfigureAwait(false);
            return await LogAsync(operation, 1, document, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    private async ValueTask<LoggedChange> LogAsync(
        ReadOnlyMemory<byte> operations, int count, CollectionDocument document, CancellationToken cancellation)
    {
        var lasts = new long[_partitions.Length];
        for (var i = 0; i < lasts.Length; i++)
            lasts[i] = await _partitions[i].LogAsync(operations, count, cancellation).ConfigureAwait(false);

        // With what another's change has not brought to all partitions yet it waits until that is done.
        if (_coming is null)
            Use(document.Config);
        else
            _coming = document.Config;
        return new LoggedChange(Incarnation, [.. lasts], count);
    }

    /// <summary>One change at a time, and none before partitions were brought in line with the catalog after a start.</summary>
    private async Task BeginChangeAsync(CancellationToken cancellation)
    {
        await _reconciling.WaitAsync(cancellation).ConfigureAwait(false);
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<bool> ReconcileAsync()
    {
        try
        {
            foreach (var partition in _partitions)
            {
                await partition.SchemaAsync(_stopping.Token).ConfigureAwait(false);
                await _changing.WaitAsync(_stopping.Token).ConfigureAwait(false);
                try
                {
                    // A change that came in meanwhile is in the log already, and in the settings only after it.
                    var schema = await partition.SchemaAsync(_stopping.Token).ConfigureAwait(false);
                    var changes = SchemaChange.Between(schema, (_coming ?? Config).Schema);
                    if (changes.Count > 0)
                    {
                        var last = await partition.LogAsync(changes.Operations, changes.Count, _stopping.Token).ConfigureAwait(false);
                        await partition.WaitAsync(WaitTarget.Applied, last, last, null, _stopping.Token).ConfigureAwait(false);
                    }
                }
                finally
                {
                    _changing.Release();
                }
            }

            await _changing.WaitAsync(_stopping.Token).ConfigureAwait(false);
            try
            {
                if (_coming is { } coming && await AllHaveAsync(coming.Schema, _stopping.Token).ConfigureAwait(false))
                    Use(coming);
                return _coming is null;
            }
            finally
            {
                _changing.Release();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or GranaryException or ObjectDisposedException)
        {
            // The partition stopped or is being closed; it says so itself.
            return false;
        }
    }
}
