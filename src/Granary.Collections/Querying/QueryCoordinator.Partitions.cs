using Granary.Collections.Partitions;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

public sealed partial class QueryCoordinator
{
    /// <summary>Below so many points over all partitions, asking them one after another is faster than waking other threads.</summary>
    private const long ParallelFrom = 20_000;

    /// <summary>Up to so many points of each partition come along with their hits, when only their versions are wanted.</summary>
    private const int MostAlong = 1000;

    /// <summary>Up to so many when their payloads are wanted.</summary>
    private const int MostPayloadsAlong = 20;

    /// <summary>Up to so many payloads come along with the last scores of a combination.</summary>
    private const int MostPayloadsBrought = 160;

    /// <summary>Twice the hits that are wanted and so many more points come along with the last scores of a combination.</summary>
    private const int SparePoints = 8;

    /// <summary>Points by id, in the order asked, unknown ones left out.</summary>
    public async ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
        IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions read, CancellationToken cancellation)
    {
        if (ids.Count == 0)
            return [];
        if (_partitions.Count == 1)
            return await _partitions[0].FetchAsync(ids, selection, read, cancellation).ConfigureAwait(false);
        var byPartition = Split(ids);
        var parts = await EachAsync(
            p => byPartition[p.Number] is { } mine ? p.FetchAsync(mine, selection, read, cancellation) : new([]), false)
            .ConfigureAwait(false);
        var found = new Dictionary<PointId, PointRecord>(ids.Count);
        foreach (var point in parts.SelectMany(p => p))
            found[point.Id] = point;
        return [.. ids.Where(found.ContainsKey).Select(id => found[id])];
    }

    /// <summary>How many points match.</summary>
    public async ValueTask<long> CountAsync(Filter? filter, bool exact, ReadOptions read, CancellationToken cancellation)
    {
        var parts = await EachAsync(p => p.CountAsync(filter, exact, read, cancellation), true).ConfigureAwait(false);
        return parts.Sum();
    }

    /// <summary>The most frequent values of an indexed field.</summary>
    public async ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions read, CancellationToken cancellation)
    {
        if (_partitions.Count == 1)
            return await _partitions[0].FacetAsync(key, filter, limit, exact, read, cancellation).ConfigureAwait(false);
        // A value that is rare everywhere may be frequent in all: every partition counts all of its values.
        var parts = await EachAsync(p => p.FacetAsync(key, filter, int.MaxValue, exact, read, cancellation), true).ConfigureAwait(false);
        return
        [
            .. parts.SelectMany(p => p).GroupBy(h => h.Value).Select(g => new FacetHit(g.Key, g.Sum(h => h.Count)))
                .OrderByDescending(h => h.Count).ThenBy(h => h.Value.Text, StringComparer.Ordinal).ThenBy(h => h.Value.Integer)
                    .ThenBy(h => h.Value.Boolean)
                .Take(limit),
        ];
    }

    /// <summary>A page of points.</summary>
    /// <exception cref="GranaryException">An offset was given together with an order.</exception>
    public async ValueTask<ScrollPage> ScrollAsync(ScrollRequest request, CancellationToken cancellation)
    {
        if (request.OrderBy is not null && request.Offset is not null)
        {
            throw GranaryException.BadInput(
                "Cannot use an `offset` when using `order_by`. The alternative for paging is to use `order_by.start_from` and a filter to "
                    + "exclude the IDs that you've already seen for the `order_by.start_from` value");
        }

        var more = request.OrderBy is null && request.Limit < int.MaxValue ? request.Limit + 1 : request.Limit;
        Leg leg = request.OrderBy is { } order
            ? new OrderLeg(order.Key, order.Descending) { StartFrom = order.StartFrom, Filter = request.Filter, Limit = more }
            : new ScanLeg { From = request.Offset, Filter = request.Filter, Limit = more };
        var selection = new PointSelection(request.WithPayload, request.WithVectors);
        var run = new Run(this, request.Read, cancellation);
        var plan = new LegNode(leg);
        var hits = (await run.EvaluateRootAsync(plan, selection).ConfigureAwait(false)).Hits;
        var page = hits.Take(request.Limit).ToList();
        var points = await run.PointsAsync(page, selection).ConfigureAwait(false);
        return new ScrollPage(
            [.. Join(page, points).Select(
                p => new PointRecord(p.Id, p.Version) { Payload = p.Payload, Vectors = p.Vectors, Order = p.Order })],
            request.OrderBy is null && hits.Count > request.Limit ? hits[request.Limit].Id : null);
    }

    /// <summary>
    /// What every partition sends along with its hits, although most of them will not be among the best of all: where points are small and
    /// few, that costs less than asking for the best ones afterwards. Null: they are asked for.
    /// </summary>
    private PointSelection? Along(PlanNode plan, PointSelection? selection)
    {
        if (selection is null || plan is not LegNode { Leg: var leg and not SampleLeg }
            || selection.Vectors is not { All: false, Names: null or { Count: 0 } }
            || leg.Limit > (selection.Payload.Enabled ? MostPayloadsAlong : MostAlong))
            return null;
        foreach (var partition in _partitions)
        {
            if (!partition.IsNear)
                return selection;
        }

        return null;
    }

    private ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
        List<LegHit> hits, PointSelection selection, ReadOptions read, CancellationToken cancellation) =>
        FetchAsync([.. hits.Select(h => h.Id)], selection, read, cancellation);

    /// <summary>Ids by the partition they belong to; null where there are none.</summary>
    private List<PointId>?[] Split(IReadOnlyList<PointId> ids)
    {
        var parts = new List<PointId>?[_partitions.Count];
        foreach (var id in ids)
            (parts[_placement.PartitionOf(id)] ??= []).Add(id);
        return parts;
    }

    /// <summary>Asks every partition: side by side where there is enough to do.</summary>
    private async ValueTask<T[]> EachAsync<T>(Func<IPartitionSearch, ValueTask<T>> ask, bool heavy)
    {
        var answers = new T[_partitions.Count];
        if (answers.Length == 1)
        {
            answers[0] = await ask(_partitions[0]).ConfigureAwait(false);
            return answers;
        }

        // Those elsewhere work side by side once asked; those here answer before the next is asked.
        var near = new List<int>(answers.Length);
        var asked = new List<Task>(answers.Length);
        using (CallBurst.Begin())
        {
            for (var i = 0; i < answers.Length; i++)
            {
                if (_partitions[i].IsNear)
                    near.Add(i);
                else
                    asked.Add(AskAsync(i).AsTask());
            }
        }

        if (heavy && near.Count > 1 && Environment.ProcessorCount > 1 && near.Sum(i => _partitions[i].EstimatedPoints) >= ParallelFrom)
            asked.Add(Parallel.ForAsync(0, near.Count, (i, _) => AskAsync(near[i])));
        else
            asked.AddRange(near.Select(i => AskAsync(i).AsTask()));
        await Task.WhenAll(asked).ConfigureAwait(false);
        return answers;

        async ValueTask AskAsync(int i) => answers[i] = await ask(_partitions[i]).ConfigureAwait(false);
    }
}
