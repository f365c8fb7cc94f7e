using System.Globalization;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Http.StrictMode;

internal sealed partial record StrictModeSettings
{
    /// <summary>Whether the collection's size is limited.</summary>
    public bool LimitsSize => Limit("max_points_count") is not null || Limit("max_collection_vector_size_bytes") is not null
        || Limit("max_collection_payload_size_bytes") is not null;

    /// <summary>Refuses to grow a collection past its limits.</summary>
    public void CheckSize(CollectionInfo info)
    {
        if (Limit("max_collection_vector_size_bytes") is { } vectors
            && info.Points * info.Config.Schema.Dense.Sum(static v => v.Size * sizeof(float)) >= vectors)
            throw ApiException.BadRequest(
                FormattableString.Invariant($"Max vector storage size limit of {vectors / (1024f * 1024f)}MB reached!"));
        // The log holds every payload once, and more; it is what is known without reading them all.
        if (Limit("max_collection_payload_size_bytes") is { } payloads && info.Points > 0
            && info.Partitions.Sum(static p => p.LogBytes) >= payloads)
            throw ApiException.BadRequest(
                FormattableString.Invariant($"Max payload storage size limit of {payloads / (1024f * 1024f)}MB reached!"));
        if (Limit("max_points_count") is { } points && info.Points >= points)
            throw ApiException.BadRequest($"Max points count limit of {points} reached!");
    }

    /// <summary>Takes a write from the minute's allowance.</summary>
    public void TakeWrite(ApiState state, string collection, int operations) =>
        Take(Limit("write_rate_limit"), state.Rates.GetOrAdd(collection, static _ => new RateLimits()).Writes, operations, "Write");

    /// <summary>Takes a read from the minute's allowance.</summary>
    public void TakeRead(ApiState state, string collection, int queries) =>
        Take(Limit("read_rate_limit"), state.Rates.GetOrAdd(collection, static _ => new RateLimits()).Reads, queries, "Read");

    private static void Take(long? perMinute, TokenBucket bucket, int cost, string kind)
    {
        if (perMinute is not { } rate || bucket.TryTake((int)Math.Min(rate, int.MaxValue), cost, TimeProvider.System, out var left,
            out var wait))
            return;
        throw wait is null
            ? new GranaryException(ErrorKind.TooManyRequests,
                $"{kind} rate limit exceeded, request larger than rate limiter capacity, please try to split your request")
            : new GranaryException(ErrorKind.TooManyRequests,
                string.Create(CultureInfo.InvariantCulture,
                    $"{kind} rate limit exceeded: Operation requires {cost} tokens but only {left:0.0} were available. ")
                + $"Retry after {(long)Math.Ceiling(wait.Value.TotalSeconds)}s")
            {
                RetryAfter = wait,
            };
    }
}

/// <summary>Facts about a batch.</summary>
internal static class WriteBatchFacts
{
    /// <summary>Whether the batch can make the collection larger.</summary>
    public static bool Grows(this WriteBatch batch)
    {
        foreach (var operation in new OperationSequence(batch.Operations.Written.Span))
        {
            if ((OperationKind)operation[0] is OperationKind.Upsert or OperationKind.UpdateVectors or OperationKind.SetPayload
                or OperationKind.OverwritePayload)
                return true;
        }

        return false;
    }
}
