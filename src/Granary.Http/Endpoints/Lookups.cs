using System.Collections.Immutable;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Requests;
using Granary.Http.StrictMode;
using Granary.Index;

namespace Granary.Http.Endpoints;

/// <summary>What a query names that the collection, or another one, must have; and what it costs.</summary>
internal static class Lookups
{
    /// <summary>Checks queries before they are answered.</summary>
    public static async ValueTask CheckAsync(
        ApiCall call, ICollection collection, StrictModeCheck check, IReadOnlyList<QueryRequest> requests, GroupLookup? groups = null)
    {
        check.Take(call.State, collection.Name);
        foreach (var request in requests)
        {
            SelectorBody.Check(request.WithVectors, collection.Config.Schema);
            if (request.LookupFrom is { } lookup)
                await CheckAsync(call, lookup);
            if (!request.Prefetches.IsEmpty)
                await CheckAsync(call, request.Prefetches);
        }

        if (groups is not null)
            await FindAsync(call, groups.Collection);
    }

    private static async ValueTask CheckAsync(ApiCall call, ImmutableArray<Prefetch> prefetches)
    {
        foreach (var prefetch in prefetches)
        {
            if (prefetch.LookupFrom is { } lookup)
                await CheckAsync(call, lookup);
            if (!prefetch.Prefetches.IsEmpty)
                await CheckAsync(call, prefetch.Prefetches);
        }
    }

    private static async ValueTask CheckAsync(ApiCall call, LookupLocation lookup) => await FindAsync(call, lookup.Collection);

    private static async ValueTask<ICollection> FindAsync(ApiCall call, string name)
    {
        try
        {
            return await call.Database.GetCollectionAsync(name, call.Cancellation);
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.NotFound)
        {
            throw GranaryException.NotFound($"Collection {name} not found");
        }
    }
}
