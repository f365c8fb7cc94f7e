using System.Diagnostics;
using Granary.Collections.Catalog;
using Granary.Collections.Diagnostics;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// Answers queries over a collection's partitions, wherever they are: each leg is merged over all partitions first, and what
/// combines legs is computed once, here. One for each version of the schema; it keeps nothing but statistics it heard of.
/// </summary>
public sealed partial class QueryCoordinator
{
    private readonly string _collection;
    private readonly IndexSchema _schema;
    private readonly PlacementTable _placement;
    private readonly IReadOnlyList<IPartitionSearch> _partitions;
    private readonly IQueryInputs _inputs;
    private readonly KnownStatistics _known;

    /// <summary>Coordinates over these partitions, in the order of their numbers.</summary>
    public QueryCoordinator(
        string collection, IndexSchema schema, PlacementTable placement, IReadOnlyList<IPartitionSearch> partitions, IQueryInputs inputs) =>
        (_collection, _schema, _placement, _partitions, _inputs, _known) =
            (collection, schema, placement, partitions, inputs, new KnownStatistics(schema));

    /// <summary>Answers a query.</summary>
    /// <exception cref="GranaryException">The query is wrong, a partition is unavailable, or the time limit passed.</exception>
    public ValueTask<IReadOnlyList<ScoredPoint>> QueryAsync(QueryRequest request, CancellationToken cancellation) =>
        request.Read.Timeout is null ? AnswerAsync(request, cancellation) : AnswerInTimeAsync(request, cancellation);

    private ValueTask<IReadOnlyList<ScoredPoint>> AnswerInTimeAsync(QueryRequest request, CancellationToken cancellation) =>
        LimitedAsync(request.Read, token => AnswerAsync(request, token), cancellation);

    private async ValueTask<IReadOnlyList<ScoredPoint>> AnswerAsync(QueryRequest request, CancellationToken cancellation)
    {
        using var activity = Telemetry.Activities.StartActivity("granary.query");
        if (activity is not null)
            activity.SetTag("granary.collection", _collection).SetTag("granary.partitions", _partitions.Count);
        var started = Stopwatch.GetTimestamp();
        var selection = PointSelection.Of(request.WithPayload, request.WithVectors);
        var plan = await PlanAsync(request, cancellation).ConfigureAwait(false);
        IReadOnlyList<ScoredPoint> answer;
        if (!request.Explain && _partitions.Count == 1 && NearQuery.Takes(plan) && _partitions[0] is IOpenPartition near
            && near.TryOpen(request.Read, out var lease))
        {
            using (lease)
                answer = NearQuery.Answer(lease.Reader, plan, request.Offset, selection, cancellation);
        }
        else if (plan is LegNode { Leg: var leg } && _partitions.Count == 1 && request.Offset == 0)
        {
            var reply = await _partitions[0].SearchAsync(new PartitionRequest([leg], request.Read)
            {
                Fetch = selection,
            }, cancellation).ConfigureAwait(false);
            answer = Join(RankingOf(leg, reply.Legs[0]).Hits, reply.Points!);
        }
        else
        {
            var run = new Run(this, request.Read, cancellation);
            var ranking = await run.EvaluateRootAsync(plan, selection).ConfigureAwait(false);
            var skipped = plan is LegNode { Leg: SampleLeg } ? 0 : request.Offset;
            var hits = ranking.Hits.Skip(skipped).Take(request.Limit).ToList();
            answer = Join(hits, await run.PointsAsync(hits, selection).ConfigureAwait(false));
            if (request.Explain)
                answer = Explanation.Add(answer, run.RootChildren);
        }

        Telemetry.Queries.Record(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        return answer;
    }

    /// <summary>Resolves what the request refers to, and plans it.</summary>
    private async ValueTask<PlanNode> PlanAsync(QueryRequest request, CancellationToken cancellation)
    {
        if (QueryReferences.Of(request, _collection, _schema) is not { } references)
            return new QueryPlanner(_collection, _schema, ResolvedInputs.None, 0).Plan(request, []);
        var resolved = await ResolveAsync(references, request.Read, cancellation).ConfigureAwait(false);
        return new QueryPlanner(_collection, _schema, resolved, (ulong)Random.Shared.NextInt64()).Plan(request, references.Used);
    }

    private async ValueTask<ResolvedInputs> ResolveAsync(QueryReferences references, ReadOptions read, CancellationToken cancellation)
    {
        var resolved = new ResolvedInputs();
        foreach (var group in references.Points.GroupBy(p => (p.Collection, p.Vector)))
        {
            var ids = group.Select(p => p.Id).Distinct().ToList();
            var selection = new PointSelection(PayloadSelector.None, new VectorSelector(false, [group.Key.Vector]));
            var points = group.Key.Collection is { } other
                ? await _inputs.LookupAsync(other, ids, selection.Payload, selection.Vectors, read, cancellation).ConfigureAwait(false)
                : await FetchAsync(ids, selection, read, cancellation).ConfigureAwait(false);
            var found = points.ToDictionary(p => p.Id);
            foreach (var reference in group)
            {
                if (!found.TryGetValue(reference.Id, out var point))
                    throw Errors.PointNotFound(reference.Id);
                var vector = point.Vectors?.FirstOrDefault(v => v.Name == reference.Vector)
                    ?? throw (group.Key.Collection is null
                        ? GranaryException.NotFound($"Vector with name \"{reference.Vector}\" for point {reference.Id}")
                        : Errors.VectorNotFound(reference.Vector));
                resolved.Points[reference] = VectorResolver.Of(vector);
            }
        }

        foreach (var model in references.Texts.GroupBy(t => t.Model))
        {
            var texts = model.Select(t => t.Text).ToList();
            var embeddings = await _inputs.EmbedAsync(model.Key, texts, cancellation).ConfigureAwait(false);
            for (var i = 0; i < texts.Count; i++)
                resolved.Texts[(model.Key, texts[i])] = embeddings[i];
        }

        return resolved;
    }

    private static async ValueTask<T> LimitedAsync<T>(
        ReadOptions read, Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellation)
    {
        if (read.Timeout is not { } limit)
            return await work(cancellation).ConfigureAwait(false);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(limit);
        try
        {
            return await work(limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new GranaryException(ErrorKind.Timeout, $"Operation 'Query' timed out after {limit.TotalSeconds:0.###} seconds");
        }
    }

    /// <summary>Scores and points together; a point deleted since it was found is left out.</summary>
    private static List<ScoredPoint> Join(IReadOnlyList<LegHit> hits, IReadOnlyList<PointRecord> points)
    {
        var answer = new List<ScoredPoint>(hits.Count);
        var next = 0;
        foreach (var hit in hits)
        {
            // Points come in the order of the hits with some left out.
            if (next == points.Count)
                break;
            if (points[next].Id != hit.Id)
                continue;
            var point = points[next++];
            answer.Add(new ScoredPoint(hit.Id, hit.Score, point.Version)
            {
                Payload = point.Payload,
                Vectors = point.Vectors,
                Order = hit.Order,
            });
        }

        return answer;
    }

    private static Ranking RankingOf(Leg leg, LegResult result)
    {
        var order = leg switch
        {
            ScanLeg => RankingOrder.Id,
            OrderLeg o => o.Descending ? RankingOrder.Descending : RankingOrder.Ascending,
            SampleLeg => RankingOrder.None,
            _ => result.HigherIsBetter ? RankingOrder.HigherScore : RankingOrder.LowerScore,
        };
        // What is not scored counts 1, as in Qdrant.
        return leg is ScanLeg or OrderLeg or SampleLeg
            ? new Ranking([.. result.Hits.Select(h => h with { Score = 1 })], order)
            : new Ranking(result.Hits, order);
    }
}
