using System.Text.Json;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Client;

/// <summary>A database behind a server's REST API.</summary>
public sealed class GranaryHttpClient : IGranaryClient
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;
    private readonly bool _owns;
    private readonly RestCalls _calls;

    /// <summary>A client of the server at <paramref name="url"/>, such as <c>http://127.0.0.1:6333</c>.</summary>
    /// <param name="url">The server's address.</param>
    /// <param name="apiKey">Its API key; null for none.</param>
    /// <param name="timeout">Time limit of one call; null for 100 seconds.</param>
    public GranaryHttpClient(Uri url, string? apiKey = null, TimeSpan? timeout = null)
        : this(Make(url, apiKey, timeout)) => _owns = true;

    /// <summary>A client over an <see cref="HttpClient"/> with a base address, which stays the caller's.</summary>
    public GranaryHttpClient(HttpClient http)
    {
        ArgumentNullException.ThrowIfNull(http);
        if (http.BaseAddress is null)
            throw new ArgumentException("The HTTP client needs a base address.", nameof(http));
        _http = http;
        _calls = new RestCalls(http);
    }

    /// <inheritdoc/>
    public async Task CreateCollectionAsync(string collection, CollectionConfig config, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        using (await _calls.SendAsync(
            HttpMethod.Put, Path(collection), json => CollectionJson.CreateBody(config).WriteTo(json), cancellation).ConfigureAwait(false))
        {
        }

        foreach (var index in config.Schema.PayloadIndexes)
        {
            using (await _calls.SendAsync(
                HttpMethod.Put, Path(collection, "index?wait=true"), json => CollectionJson.IndexBody(index).WriteTo(json), cancellation)
                    .ConfigureAwait(false))
            {
            }
        }
    }

    /// <inheritdoc/>
    public async Task<CollectionConfig> GetCollectionAsync(string collection, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(HttpMethod.Get, Path(collection, "config"), null, cancellation).ConfigureAwait(false);
        return CollectionJson.Read(answer.Result);
    }

    /// <inheritdoc/>
    public async Task<bool> CollectionExistsAsync(string collection, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(HttpMethod.Get, Path(collection, "exists"), null, cancellation).ConfigureAwait(false);
        return answer.Result.GetProperty("exists"u8).GetBoolean();
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(HttpMethod.Get, "collections", null, cancellation).ConfigureAwait(false);
        return [.. answer.Result.GetProperty("collections"u8).EnumerateArray().Select(c => c.GetProperty("name"u8).GetString()!)
            .Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteCollectionAsync(string collection, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(HttpMethod.Delete, Path(collection), null, cancellation).ConfigureAwait(false);
        return answer.Result.ValueKind == JsonValueKind.True;
    }

    /// <inheritdoc/>
    public Task<UpdateResult> UpsertAsync(
        string collection, IReadOnlyList<Point> points, bool wait = false, CancellationToken cancellation = default) =>
        UpdateAsync(HttpMethod.Put, Path(collection, "points"), wait, json =>
        {
            json.WriteStartArray("points"u8);
            foreach (var point in points)
                PointJson.WritePoint(json, point);
            json.WriteEndArray();
        }, cancellation);

    /// <inheritdoc/>
    public Task<UpdateResult> DeleteAsync(
        string collection, IReadOnlyList<PointId> ids, bool wait = false, CancellationToken cancellation = default) =>
        UpdateAsync(HttpMethod.Post, Path(collection, "points/delete"), wait, json => WriteIds(json, "points"u8, ids), cancellation);

    /// <inheritdoc/>
    public Task<UpdateResult> DeleteAsync(string collection, Filter filter, bool wait = false, CancellationToken cancellation = default) =>
        UpdateAsync(HttpMethod.Post, Path(collection, "points/delete"), wait, json => QueryJson.WriteFilter(json, filter), cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Hit>> QueryAsync(string collection, QueryRequest query, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(
            HttpMethod.Post, Path(collection, "points/query"), json => QueryJson.Write(json, query), cancellation).ConfigureAwait(false);
        return [.. answer.Result.GetProperty("points"u8).EnumerateArray().Select(PointJson.ReadHit)];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Hit>> HybridAsync(string collection, HybridQuery query, CancellationToken cancellation = default) =>
        QueryAsync(collection, query.ToRequest(), cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Point>> RetrieveAsync(
        string collection, IReadOnlyList<PointId> ids, bool withVectors = false, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(HttpMethod.Post, Path(collection, "points"), json =>
        {
            json.WriteStartObject();
            WriteIds(json, "ids"u8, ids);
            json.WriteBoolean("with_payload"u8, true);
            json.WriteBoolean("with_vector"u8, withVectors);
            json.WriteEndObject();
        }, cancellation).ConfigureAwait(false);
        return [.. answer.Result.EnumerateArray().Select(PointJson.ReadPoint)];
    }

    /// <inheritdoc/>
    public async Task<PointPage> ScrollAsync(string collection, ScrollRequest request, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(
            HttpMethod.Post, Path(collection, "points/scroll"), json => QueryJson.Write(json, request), cancellation).ConfigureAwait(false);
        var next = answer.Result.GetProperty("next_page_offset"u8);
        return new PointPage(
            [.. answer.Result.GetProperty("points"u8).EnumerateArray().Select(PointJson.ReadPoint)],
            next.ValueKind == JsonValueKind.Null ? null : PointJson.ReadId(next));
    }

    /// <inheritdoc/>
    public async Task<long> CountAsync(string collection, Filter? filter = null, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(HttpMethod.Post, Path(collection, "points/count"), json =>
        {
            json.WriteStartObject();
            QueryJson.WriteFilter(json, filter);
            json.WriteBoolean("exact"u8, true);
            json.WriteEndObject();
        }, cancellation).ConfigureAwait(false);
        return answer.Result.GetProperty("count"u8).GetInt64();
    }

    /// <inheritdoc/>
    public async Task<CollectionStats> StatsAsync(string collection, CancellationToken cancellation = default)
    {
        using var answer = await _calls.SendAsync(HttpMethod.Get, Path(collection, "status"), null, cancellation).ConfigureAwait(false);
        var result = answer.Result;
        var partitions = result.GetProperty("partitions"u8).EnumerateArray().ToList();
        return new CollectionStats(
            Enum.Parse<CollectionColor>(result.GetProperty("status"u8).GetString()!, ignoreCase: true),
            result.GetProperty("points"u8).GetInt64(),
            partitions.Sum(static p => p.GetProperty("indexed_vectors"u8).GetInt64()),
            partitions.Sum(static p => Math.Max(0, p.GetProperty("depth"u8).GetInt64())),
            result.GetProperty("embedding_queue"u8).GetInt64(),
            result.GetProperty("embedding_failures"u8).GetInt64(),
            partitions.Count);
    }

    /// <inheritdoc/>
    public async Task<EmbedderInfo> GetEmbedderAsync(string? model = null, CancellationToken cancellation = default)
    {
        var path = model is null ? "embedder" : $"embedder?model={Uri.EscapeDataString(model)}";
        using var answer = await _calls.SendAsync(HttpMethod.Get, path, null, cancellation).ConfigureAwait(false);
        return new EmbedderInfo(
            answer.Result.GetProperty("model"u8).GetString()!, answer.Result.GetProperty("dimensions"u8).GetInt32());
    }

    /// <inheritdoc/>
    public async Task<bool> WaitAsync(string collection, TimeSpan? limit = null, CancellationToken cancellation = default)
    {
        // In pieces, each well within the time one call may take.
        var piece = _http.Timeout > TimeSpan.Zero && _http.Timeout / 2 < LongestWait ? _http.Timeout / 2 : LongestWait;
        for (var left = limit ?? TimeSpan.MaxValue; ; left -= piece)
        {
            if (await WaitPieceAsync(collection, left < piece ? left : piece, cancellation).ConfigureAwait(false))
                return true;
            if (left <= piece)
                return false;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (_owns)
            _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<bool> WaitPieceAsync(string collection, TimeSpan limit, CancellationToken cancellation)
    {
        // The API counts in whole seconds.
        var path = Path(collection, $"wait?timeout={Math.Max(1, (int)Math.Ceiling(limit.TotalSeconds))}");
        try
        {
            using var answer = await _calls.SendAsync(HttpMethod.Post, path, null, cancellation).ConfigureAwait(false);
            return answer.Result.ValueKind == JsonValueKind.True;
        }
        catch (GranaryException e) when (e is { Kind: ErrorKind.Timeout, InnerException: null })
        {
            // The server says so; a call that is not answered at all has a cause within.
            return false;
        }
    }

    private static HttpClient Make(Uri url, string? apiKey, TimeSpan? timeout)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https"))
            throw new ArgumentException($"URL `{url}` must begin with http:// or https://", nameof(url));
        var http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.All })
        {
            BaseAddress = new Uri(url.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = timeout ?? TimeSpan.FromSeconds(100),
        };
        if (apiKey is not null)
            http.DefaultRequestHeaders.Add("api-key", apiKey);
        return http;
    }

    private static string Path(string collection, string? rest = null) =>
        rest is null ? $"collections/{Uri.EscapeDataString(collection)}" : $"collections/{Uri.EscapeDataString(collection)}/{rest}";

    private static void WriteIds(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<PointId> ids)
    {
        json.WriteStartArray(name);
        foreach (var id in ids)
            PointJson.WriteId(json, id);
        json.WriteEndArray();
    }

    private async Task<UpdateResult> UpdateAsync(
        HttpMethod method, string path, bool wait, Action<Utf8JsonWriter> members, CancellationToken cancellation)
    {
        using var answer = await _calls.SendAsync(method, wait ? path + "?wait=true" : path, json =>
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }, cancellation).ConfigureAwait(false);
        return new UpdateResult(
            answer.Result.TryGetProperty("operation_id"u8, out var id) && id.ValueKind == JsonValueKind.Number ? id.GetInt64() : null,
            answer.Result.GetProperty("status"u8).GetString() switch
            {
                "completed" => UpdateStatus.Completed,
                "wait_timeout" => UpdateStatus.WaitTimeout,
                _ => UpdateStatus.Acknowledged,
            });
    }
}
