using Granary.Collections.Diagnostics;
using Granary.Collections.Indexing;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Partitions;

/// <content>Reads, whether they came over the wire or from this process.</content>
public sealed partial class PartitionReplica
{
    /// <summary>
    /// The reading side for callers in this process, without the wire, where the read would not have to wait: the replica serves and has
    /// what must be seen. Null: it is to be asked by <see cref="AskAsync"/>. The lease is looked at again with every call.
    /// </summary>
    public IPartitionSearch? Near(ReadOptions read) =>
        _engine is { Reason: null } engine && Has(engine, read) ? _near : null;

    /// <summary>Whether the read would see all it must see, now.</summary>
    private static bool Has(ReplicaEngine engine, ReadOptions read) =>
        read.Strong is not true && (read.MinOperation ?? 0) <= engine.Indexer.Applied.Value;

    private static ValueTask<PartitionAnswer> SearchAsync(
        ReplicaEngine engine, PartitionRequest request, CancellationToken cancellation) =>
        ReadAsync(engine, request.Read, (read, stop) => engine.Search.SearchAsync(request with { Read = read }, stop), cancellation);

    private static ValueTask<StatisticsAnswer> StatisticsAsync(
        ReplicaEngine engine, StatisticsRequest request, ReadOptions options, CancellationToken cancellation) =>
        ReadAsync(engine, options, (read, stop) => engine.Search.StatisticsAsync(request, read, stop), cancellation);

    private static ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
        ReplicaEngine engine, IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions options, CancellationToken cancellation) =>
        ReadAsync(engine, options, (read, stop) => engine.Search.FetchAsync(ids, selection, read, stop), cancellation);

    private static ValueTask<long> CountAsync(
        ReplicaEngine engine, Filter? filter, bool exact, ReadOptions options, CancellationToken cancellation) =>
        ReadAsync(engine, options, (read, stop) => engine.Search.CountAsync(filter, exact, read, stop), cancellation);

    private static ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        ReplicaEngine engine, string key, Filter? filter, int limit, bool exact, ReadOptions options, CancellationToken cancellation) =>
        ReadAsync(engine, options, (read, stop) => engine.Search.FacetAsync(key, filter, limit, exact, read, stop), cancellation);

    /// <summary>
    /// A read: the lease is looked at after the request came, so that one that waited while the process stood still is refused; what it
    /// must see is waited for.
    /// </summary>
    private static async ValueTask<T> ReadAsync<T>(
        ReplicaEngine engine, ReadOptions options, Func<ReadOptions, CancellationToken, ValueTask<T>> answer,
        CancellationToken cancellation)
    {
        engine.CheckServes();
        if (options.Timeout is not { } limit)
            return await SeenAsync(cancellation).ConfigureAwait(false);
        using var late = engine.LimitOf(limit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            return await SeenAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw engine.Late(limit);
        }

        async ValueTask<T> SeenAsync(CancellationToken stop)
        {
            await engine.SeeAsync(options, stop).ConfigureAwait(false);
            return await answer(new ReadOptions { Strong = false }, stop).ConfigureAwait(false);
        }
    }

    private GranaryException Explain(Exception e) => e is ObjectDisposedException
        ? ReplicaEngine.Unavailable(_options, "it is being closed")
        : new GranaryException(ErrorKind.Internal, $"Replica {Replica} of partition {Key.Number} could not answer: {e.Message}", e);

    /// <summary>What <see cref="AskAsync"/> does, for callers in this process.</summary>
    private sealed class NearSearch(PartitionReplica replica) : IPartitionSearch, IOpenPartition
    {
        public int Number => replica.Key.Number;

        public long EstimatedPoints => replica.EstimatedPoints;

        public bool TryOpen(ReadOptions read, out ReaderLease lease)
        {
            lease = default;
            try
            {
                var engine = replica.Engine();
                engine.CheckServes();
                // It may be another engine than the one that was looked at before.
                return Has(engine, read) && engine.Search.TryOpen(new ReadOptions { Strong = false }, out lease);
            }
            catch (Exception e) when (e is GranaryException or ObjectDisposedException)
            {
                // It is asked as others are, which tells what is wrong or finds another.
                return false;
            }
        }

        public ValueTask<PartitionAnswer> SearchAsync(PartitionRequest request, CancellationToken cancellation) =>
            AnswerAsync(ReplicaCall.Search, engine => PartitionReplica.SearchAsync(engine, request, cancellation));

        public ValueTask<StatisticsAnswer> StatisticsAsync(
            StatisticsRequest request, ReadOptions read, CancellationToken cancellation) =>
            AnswerAsync(ReplicaCall.Statistics, engine => PartitionReplica.StatisticsAsync(engine, request, read, cancellation));

        public ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
            IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions read, CancellationToken cancellation) =>
            AnswerAsync(ReplicaCall.Fetch, engine => PartitionReplica.FetchAsync(engine, ids, selection, read, cancellation));

        public ValueTask<long> CountAsync(Filter? filter, bool exact, ReadOptions read, CancellationToken cancellation) =>
            AnswerAsync(ReplicaCall.Count, engine => PartitionReplica.CountAsync(engine, filter, exact, read, cancellation));

        public ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
            string key, Filter? filter, int limit, bool exact, ReadOptions read, CancellationToken cancellation) =>
            AnswerAsync(ReplicaCall.Facet, engine => PartitionReplica.FacetAsync(engine, key, filter, limit, exact, read, cancellation));

        private async ValueTask<T> AnswerAsync<T>(ReplicaCall call, Func<ReplicaEngine, ValueTask<T>> answer)
        {
            using var activity = Telemetry.Activities.StartActivity("granary.replica.read");
            activity?.SetTag("granary.partition", Number).SetTag("granary.replica", replica.Replica)
                .SetTag("granary.call", call.ToString());
            try
            {
                return await answer(replica.Engine()).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                activity.Fail(e);
                if (e is GranaryException)
                    throw;
                throw replica.Explain(e);
            }
        }
    }
}
