using System.Collections.Immutable;
using Granary.Collections.Indexing;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Collections.Searching;

/// <summary>Searches a partition whose indexer runs in this process.</summary>
/// <param name="indexer">The indexer.</param>
/// <param name="logged">The newest operation acknowledged, which a strong read must see.</param>
/// <param name="time">The clock of time limits.</param>
public sealed class LocalPartitionSearch(PartitionIndexer indexer, Func<long> logged, TimeProvider time) : IPartitionSearch, IOpenPartition
{
    /// <inheritdoc/>
    public int Number => indexer.Key.Number;

    /// <inheritdoc/>
    public long EstimatedPoints => indexer.Index.PointCount;

    /// <inheritdoc/>
    public async ValueTask<PartitionAnswer> SearchAsync(PartitionRequest request, CancellationToken cancellation)
    {
        await SeeAsync(request.Read, cancellation).ConfigureAwait(false);
        using var lease = indexer.OpenReader();
        var results = new LegResult[request.Legs.Count];
        var outdated = false;
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = lease.Reader.Search(request.Legs[i], cancellation);
            outdated |= results[i].Outdated;
        }

        var statistics = outdated ? new StatisticsAnswer(
            [.. request.Legs.OfType<TextLeg>().Select(t => lease.Reader.TextStatistics(t.Field, t.Text))], []) : null;
        var points = request.Fetch is { } selection
            ? Select(lease.Reader, request.Points ?? [.. results[0].Hits.Select(h => h.Id)], selection) : null;
        return new PartitionAnswer(results, points)
        {
            Statistics = statistics,
            Cross = request.Cross is { } cross && !outdated
                ? CrossScorer.Score(lease.Reader, request.Legs, results, cross, cancellation) : null,
        };
    }

    /// <inheritdoc/>
    public async ValueTask<StatisticsAnswer> StatisticsAsync(StatisticsRequest request, ReadOptions read, CancellationToken cancellation)
    {
        await SeeAsync(read, cancellation).ConfigureAwait(false);
        using var lease = indexer.OpenReader();
        var texts = ImmutableArray.CreateBuilder<TextStatistics>(request.Texts.Length);
        foreach (var (field, text) in request.Texts)
            texts.Add(lease.Reader.TextStatistics(field, text));
        var sparse = ImmutableArray.CreateBuilder<SparseStatistics>(request.Sparse.Length);
        foreach (var (vector, indices) in request.Sparse)
            sparse.Add(lease.Reader.SparseStatistics(vector, indices.AsSpan()));
        return new StatisticsAnswer(texts.MoveToImmutable(), sparse.MoveToImmutable());
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
        IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions read, CancellationToken cancellation)
    {
        await SeeAsync(read, cancellation).ConfigureAwait(false);
        using var lease = indexer.OpenReader();
        return Select(lease.Reader, ids, selection);
    }

    /// <inheritdoc/>
    public async ValueTask<long> CountAsync(Filter? filter, bool exact, ReadOptions read, CancellationToken cancellation)
    {
        await SeeAsync(read, cancellation).ConfigureAwait(false);
        using var lease = indexer.OpenReader();
        return lease.Reader.Count(filter, exact, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions read, CancellationToken cancellation)
    {
        await SeeAsync(read, cancellation).ConfigureAwait(false);
        using var lease = indexer.OpenReader();
        return lease.Reader.Facet(key, filter, limit, exact, cancellation);
    }

    bool IOpenPartition.TryOpen(ReadOptions read, out ReaderLease lease) => TryOpen(read, out lease);

    /// <inheritdoc cref="IOpenPartition.TryOpen"/>
    internal bool TryOpen(ReadOptions read, out ReaderLease lease)
    {
        indexer.ThrowIfStopped();
        lease = default;
        if (indexer.Applied.Value < Target(read))
            return false;
        lease = indexer.OpenReader();
        return true;
    }

    private static List<PointRecord> Select(IndexReader reader, IReadOnlyList<PointId> ids, PointSelection selection)
    {
        var points = new List<PointRecord>(ids.Count);
        foreach (var id in ids)
        {
            if (reader.TryGet(id, selection.Vectors, selection.Payload.Enabled, out var point))
                points.Add(PointSelector.Select(point!, selection));
        }

        return points;
    }

    private long Target(ReadOptions read)
    {
        var newest = logged();
        return read.Strong ?? true ? newest : Math.Min(read.MinOperation ?? 0, newest);
    }

    /// <summary>Waits until what the read must see is applied.</summary>
    private ValueTask SeeAsync(ReadOptions read, CancellationToken cancellation)
    {
        indexer.ThrowIfStopped();
        var target = Target(read);
        return indexer.Applied.Value >= target ? ValueTask.CompletedTask : WaitAsync(target, read.Timeout, cancellation);
    }

    private async ValueTask WaitAsync(long target, TimeSpan? limit, CancellationToken cancellation)
    {
        if (!await indexer.Applied.WaitAsync(target, limit, time, cancellation).ConfigureAwait(false))
        {
            throw new GranaryException(
                ErrorKind.Timeout,
                $"Partition {Number} did not reach operation {target} within {limit!.Value.TotalSeconds:0.###} s: it is at "
                    + $"{indexer.Applied.Value}");
        }
    }
}
