using System.Collections.Immutable;
using Granary.Collections.Diagnostics;
using Granary.Collections.Partitions;

namespace Granary.Collections;

internal sealed partial class Collection
{
    /// <inheritdoc/>
    public async ValueTask<bool> WaitAsync(TimeSpan? limit = null, CancellationToken cancellation = default)
    {
        var started = _options.Time.GetTimestamp();
        var accepted = new long[_partitions.Length];
        for (var i = 0; i < accepted.Length; i++)
            accepted[i] = await _partitions[i].LoggedAsync(cancellation).ConfigureAwait(false);
        for (var i = 0; i < accepted.Length; i++)
        {
            var partition = _partitions[i];
            if (!(await partition.WaitAsync(WaitTarget.Embedded, 0, accepted[i], Left(), cancellation).ConfigureAwait(false)).Reached)
                return false;
            // The vectors computed were logged since.
            var logged = await partition.LoggedAsync(cancellation).ConfigureAwait(false);
            if (!(await partition.WaitAsync(WaitTarget.Linked, 0, logged, Left(), cancellation).ConfigureAwait(false)).Reached)
                return false;
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
            await partition.RebuildAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CheckpointAsync(CancellationToken cancellation = default)
    {
        foreach (var partition in _partitions)
            await partition.CheckpointAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<CollectionInfo> GetInfoAsync(CancellationToken cancellation = default)
    {
        var config = Config;
        var reports = await Task.WhenAll(_partitions.Select(p => p.ReportAsync(cancellation).AsTask())).ConfigureAwait(false);
        var covered = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        foreach (var (path, points) in reports.SelectMany(r => r.PayloadIndexPoints))
            covered[path] = covered.GetValueOrDefault(path) + points;
        var faults = reports.Select(r => r.Status.Fault).Concat(reports.Select(r => r.CheckpointError)).OfType<string>().ToList();
        var embeddingQueue = reports.Sum(r => r.EmbeddingQueue);
        var color = faults.Count > 0 ? CollectionColor.Red
            : reports.Any(r => r.Recovering) ? CollectionColor.Grey
            : reports.Any(r => r.Status.Depth > 0) || embeddingQueue > 0 ? CollectionColor.Yellow
            : CollectionColor.Green;
        return new CollectionInfo(Name, config)
        {
            Color = color,
            OptimizerError = faults.Count == 0 ? null : string.Join("; ", faults),
            Partitions = [.. reports.Select(r => r.Status with { Capacity = config.Ingestion.QueueCapacity })],
            PayloadIndexPoints = covered.ToImmutable(),
            Timings = PhaseTimings.Merge([_timings.Snapshot(), .. reports.Select(r => r.Timings)]),
            Failures = [.. reports.SelectMany(r => r.Failures).OrderByDescending(f => f.At).Take(100)],
            EmbeddingQueue = embeddingQueue,
            EmbeddingFailures = reports.Sum(r => r.EmbeddingFailures),
        };
    }
}
