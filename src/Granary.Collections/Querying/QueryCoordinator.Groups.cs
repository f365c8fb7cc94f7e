using System.Collections.Immutable;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Querying;

public sealed partial class QueryCoordinator
{
    private const int CollectRounds = 5;
    private const int FillRounds = 5;

    /// <summary>
    /// Answers a query by groups. A query with prefetches is asked once for all of its candidates, with the limits it was given,
    /// so that its scores are those of the plain query; others are asked again, without the groups that are full, until there
    /// are enough.
    /// </summary>
    public ValueTask<IReadOnlyList<PointGroup>> GroupAsync(GroupRequest request, CancellationToken cancellation) =>
        LimitedAsync(request.Query.Read, token => AnswerAsync(request, token), cancellation);

    private async ValueTask<IReadOnlyList<PointGroup>> AnswerAsync(GroupRequest request, CancellationToken cancellation)
    {
        if (request.Limit <= 0 || request.GroupSize <= 0)
            return [];
        var collector = new GroupCollector(request.GroupBy, request.Limit, request.GroupSize);
        var query = request.Query with { Offset = 0, Explain = false };
        var asksAgain = query.Prefetches.IsEmpty
            && query.Query is null or NearestQuery { Mmr: null } or RecommendQuery or DiscoverQuery or ContextQuery;
        if (!query.Prefetches.IsEmpty || !asksAgain)
        {
            var all = query.Prefetches.IsEmpty ? (long)request.Limit * request.GroupSize : query.Prefetches.Sum(p => (long)p.Limit);
            await CollectAsync(collector, query with { Limit = (int)Math.Min(all, int.MaxValue) }, cancellation).ConfigureAwait(false);
        }
        else
        {
            await CollectInRoundsAsync(collector, query, request, cancellation).ConfigureAwait(false);
        }

        var selection = new PointSelection(query.WithPayload, query.WithVectors);
        var groups = collector.Best();
        var ids = groups.SelectMany(g => g.Hits).Select(h => h.Id).Distinct().ToList();
        var points = (await FetchAsync(ids, selection, query.Read, cancellation).ConfigureAwait(false)).ToDictionary(p => p.Id);
        var lookups = await LookUpAsync(request, groups, cancellation).ConfigureAwait(false);
        return
        [
            .. groups.Select(g => new PointGroup(
                g.Value,
                [.. g.Hits.Where(h => points.ContainsKey(h.Id)).SelectMany(h => Join([h], [points[h.Id]]))],
                GroupCollector.IdOf(g.Value) is { } id ? lookups.GetValueOrDefault(id) : null)),
        ];
    }

    private async ValueTask CollectInRoundsAsync(
        GroupCollector collector, QueryRequest query, GroupRequest request, CancellationToken cancellation)
    {
        var limit = (int)Math.Min((long)request.Limit * request.GroupSize, int.MaxValue);
        var has = new Filter { MustNot = [new IsEmptyCondition(request.GroupBy)] };
        for (var round = 0; round < CollectRounds && collector.FullBestGroups < request.Limit; round++)
        {
            // A point of a full group is still wanted when it is in another group, too.
            var others = GroupCollector.Except(request.GroupBy, collector.FullGroups);
            var filter = Filters.And(Filters.And(query.Filter, has), Filters.And(others, Filters.Without(collector.Seen)));
            if (await CollectAsync(collector, query with { Filter = filter, Limit = limit }, cancellation).ConfigureAwait(false) < limit)
                return;
        }

        for (var round = 0; round < FillRounds && collector.FullBestGroups < request.Limit; round++)
        {
            var lacking = GroupCollector.Any(request.GroupBy, collector.UnfilledBestGroups);
            var filter = Filters.And(Filters.And(query.Filter, lacking), Filters.Without(collector.Seen));
            if (await CollectAsync(collector, query with { Filter = filter, Limit = limit }, cancellation).ConfigureAwait(false) < limit)
                return;
        }
    }

    private async ValueTask<int> CollectAsync(GroupCollector collector, QueryRequest query, CancellationToken cancellation)
    {
        var plan = await PlanAsync(query, cancellation).ConfigureAwait(false);
        var ranking = await new Run(this, query.Read, cancellation).EvaluateRootAsync(plan).ConfigureAwait(false);
        var key = new PayloadSelector(true, [collector.PayloadKey], []);
        var hits = ranking.Hits.Take(query.Limit).ToList();
        var points = await FetchAsync(hits, new PointSelection(key, VectorSelector.None), query.Read, cancellation).ConfigureAwait(false);
        collector.Add(hits, points, ranking.Order);
        return hits.Count;
    }

    private async ValueTask<Dictionary<PointId, PointRecord>> LookUpAsync(
        GroupRequest request, IReadOnlyList<GroupCollector.Group> groups, CancellationToken cancellation)
    {
        if (request.Lookup is not { } lookup)
            return [];
        var ids = groups.Select(g => GroupCollector.IdOf(g.Value)).OfType<PointId>().ToList();
        var found = await _inputs.LookupAsync(
            lookup.Collection, ids, lookup.WithPayload, lookup.WithVectors, request.Query.Read, cancellation)
            .ConfigureAwait(false);
        return found.ToDictionary(p => p.Id);
    }
}
