using System.Collections.Immutable;

namespace Granary.Collections;

internal sealed partial class Collection
{
    /// <inheritdoc/>
    public async ValueTask<bool> WaitAsync(TimeSpan? limit = null, CancellationToken cancellation = default)
    {
        var started = _options.Time.GetTimestamp();
        var accepted = _partitions.Select(p => p.Writer.Logged).ToArray();
        for (var i = 0; i < accepted.Length; i++)
        {
            var partition = _partitions[i];
            if (!await partition.Indexer.Applied.WaitAsync(accepted[i], Left(), _options.Time, cancellation).ConfigureAwait(false)
                || !await IsEmbeddedAsync(partition, 0, accepted[i], Left(), cancellation).ConfigureAwait(false)
                || !await partition.Indexer.WaitLinkedAsync(partition.Writer.Logged, Left(), cancellation).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;

        TimeSpan? Left()
        {
            if (limit is not { } all)
                return null;
            var left = all - _options.Time.GetElapsedTime(started);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <inheritdoc/>
    public async ValueTask RebuildAsync(CancellationToken cancellation = default)
    {
        foreach (var partition in _partitions)
            await partition.Indexer.RebuildAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CheckpointAsync(CancellationToken cancellation = default)
    {
        foreach (var partition in _partitions)
        {
            // All that was acknowledged before the call is in it.
            await partition.CaughtUpAsync(cancellation).ConfigureAwait(false);
            await partition.Indexer.CheckpointAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask<CollectionInfo> GetInfoAsync(CancellationToken cancellation = default)
    {
        var config = Config;
        var partitions = ImmutableArray.CreateBuilder<PartitionStatus>(_partitions.Length);
        var covered = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        foreach (var partition in _partitions)
            partitions.Add(StatusOf(partition, config, covered));
        var faults = partitions.Select(p => p.Fault).Concat(_partitions.Select(p => p.Indexer.CheckpointError)).OfType<string>().ToList();
        var color = faults.Count > 0 ? CollectionColor.Red
            : _partitions.Any(p => p.Indexer.Recovering) ? CollectionColor.Grey
            : partitions.Any(p => p.Depth > 0) || _embedding.Pending > 0 ? CollectionColor.Yellow
            : CollectionColor.Green;
        return ValueTask.FromResult(new CollectionInfo(Name, config)
        {
            Color = color,
            OptimizerError = faults.Count == 0 ? null : string.Join("; ", faults),
            Partitions = partitions.MoveToImmutable(),
            PayloadIndexPoints = covered.ToImmutable(),
            Timings = _timings.Snapshot(),
            Failures = [.. _partitions.SelectMany(p => p.Indexer.Failures).Concat(_embedding.Failures).OrderByDescending(f => f.At)
                .Take(100)],
            EmbeddingQueue = _embedding.Pending,
            EmbeddingFailures = _embedding.Failed,
        });
    }

    private static PartitionStatus StatusOf(
        LocalPartition partition, CollectionConfig config, ImmutableDictionary<string, long>.Builder covered)
    {
        var indexer = partition.Indexer;
        var statistics = indexer.Statistics();
        foreach (var (path, points) in statistics.PayloadIndexPoints)
            covered[path] = covered.GetValueOrDefault(path) + points;
        // Read linked before logged, so that the depth is never negative.
        var linked = indexer.Linked.Value;
        var applied = indexer.Applied.Value;
        var logged = Math.Max(partition.Writer.Logged, applied);
        return new PartitionStatus
        {
            Number = partition.Number,
            Logged = logged,
            Applied = applied,
            Linked = linked,
            Checkpointed = indexer.Checkpointed,
            Capacity = config.Ingestion.QueueCapacity,
            LagMilliseconds = linked >= logged ? 0 : indexer.Lag.TotalMilliseconds,
            Points = statistics.Points,
            Vectors = statistics.Vectors,
            IndexedVectors = statistics.IndexedVectors,
            LogBytes = partition.LogBytes,
            IndexBytes = statistics.VectorBytes,
            Failed = indexer.Failed,
            Fault = indexer.Fault?.Message ?? partition.Writer.Fault,
            RecoveryNote = indexer.RecoveryNote,
        };
    }
}
