using Granary.Collections.Catalog;
using Granary.Collections.Partitions;
using Granary.Index;

namespace Granary.Collections;

internal sealed partial class Collection
{
    /// <inheritdoc/>
    public async ValueTask<UpdateResult> CreatePayloadIndexAsync(
        PayloadIndexSchema index, WriteOptions options, CancellationToken cancellation = default)
    {
        if (string.IsNullOrEmpty(index.Path))
            throw GranaryException.BadInput("A payload index needs a field name");
        await BeginChangeAsync(cancellation).ConfigureAwait(false);
        try
        {
            var document = await _catalog.UpdateAsync(
                Name,
                config => config with
                {
                    Schema = config.Schema with
                    {
                        PayloadIndexes = [.. config.Schema.PayloadIndexes.Where(i => i.Path != index.Path), index],
                    },
                },
                cancellation).ConfigureAwait(false);
            return await LogAsync(SchemaChange.Create(index), 1, document, options, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<UpdateResult> DeletePayloadIndexAsync(
        string path, WriteOptions options, CancellationToken cancellation = default)
    {
        await BeginChangeAsync(cancellation).ConfigureAwait(false);
        try
        {
            var document = await _catalog.UpdateAsync(
                Name,
                config => config with
                {
                    Schema = config.Schema with { PayloadIndexes = [.. config.Schema.PayloadIndexes.Where(i => i.Path != path)] },
                },
                cancellation).ConfigureAwait(false);
            return await LogAsync(SchemaChange.Drop(path), 1, document, options, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Replaces the settings; a change of vectors or text fields is logged on every partition and waited for.</summary>
    public async ValueTask UpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation)
    {
        await BeginChangeAsync(cancellation).ConfigureAwait(false);
        try
        {
            var before = Config;
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
            if (changes.Count == 0)
                Use(document.Config);
            else
                await LogAsync(changes.Operations, changes.Count, document, new WriteOptions
                {
                    Wait = true,
                }, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask FollowAsync(CollectionConfig config, CancellationToken cancellation)
    {
        await BeginChangeAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(Config, config))
                Use(config);
        }
        finally
        {
            _changing.Release();
        }
    }

    private void Use(CollectionConfig config)
    {
        _version = MakeVersion(config);
        _set.Use(config);
    }

    /// <summary>The catalog says what shall be; the logs make it so. A crash in between is made good at the next opening.</summary>
    private async ValueTask<UpdateResult> LogAsync(
        ReadOnlyMemory<byte> operations, int count, CollectionDocument document, WriteOptions options, CancellationToken cancellation)
    {
        var appended = new Appended[_partitions.Length];
        for (var i = 0; i < appended.Length; i++)
        {
            var last = await _partitions[i].LogAsync(operations, count, cancellation).ConfigureAwait(false);
            appended[i] = new Appended(_partitions[i], last - count + 1, last);
        }

        Use(document.Config);
        return await AnswerAsync(appended, document.Config.Ingestion with
        {
            Mode = IndexingMode.Asynchronous,
        }, options, cancellation).ConfigureAwait(false);
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
                    var changes = SchemaChange.Between(schema, Config.Schema);
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

            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or GranaryException or ObjectDisposedException)
        {
            // The partition stopped or is being closed; it says so itself.
            return false;
        }
    }
}
