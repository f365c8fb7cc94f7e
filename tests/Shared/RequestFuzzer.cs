using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Granary.Fuzzing;

/// <summary>What a run of the fuzzer came to.</summary>
internal sealed class FuzzReport
{
    public int Sent { get; set; }

    public int ParsedAsJson { get; set; }

    public int Accepted { get; set; }

    public List<string> Failures { get; } = [];

    public override string ToString() =>
        $"{Sent} requests: {ParsedAsJson} bodies parse as JSON, {Accepted} accepted, {Failures.Count} failures (5xx, no answer, or a "
            + "refused request that changed something)";
}

/// <summary>
/// Sends mutations of real requests: values, members, bytes, query strings and compression changed at random from a seed. Nothing may
/// answer 5xx or not at all, and what is refused may change nothing.
/// </summary>
internal sealed class RequestFuzzer(HttpClient client, int seed)
{
    private const string Name = "fuzzed";
    private const int RequestsBetweenResets = 400;

    private static readonly (string Method, string Path, string Body)[] Seeds =
    [
        ("PUT", "/collections/fuzzed_new",
            """{"vectors":{"size":4,"distance":"Dot","hnsw_config":{"m":8,"ef_construct":50}},"sparse_vectors":{"s":{"modifier":"idf"}}"""
                + ""","shard_number":1,"optimizers_config":{"indexing_threshold":100},"metadata":{"a":1}}"""),
        ("PATCH", $"/collections/{Name}",
            """{"optimizers_config":{"indexing_threshold":10},"hnsw_config":{"ef_construct":60},"metadata":{"x":"y"}}"""),
        ("PUT", $"/collections/{Name}/points?wait=true",
            """{"points":[{"id":1,"vector":{"d":[1,0.5,-0.25,1e-3],"s":{"indices":[3,7],"values":[0.5,1.5]}},"payload":"""
                + """{"city":"Berlin","count":3,"tags":["a","b"],"nested":[{"k":1},{"k":2}]}}]}"""),
        ("PUT", $"/collections/{Name}/points?wait=true",
            """{"batch":{"ids":[2,3],"vectors":{"d":[[1,2,3,4],[4,3,2,1]]},"payloads":[{"city":"London"},null]},"update_mode":"upsert"}"""),
        ("PUT", $"/collections/{Name}/points?wait=true",
            """{"points":[{"id":"98a9a4b1-4ef2-46fb-8315-a97d874fe1d7","vector":{"m":[[1,2],[3,4]]},"payload":{"body":"text to be """
                + """searched","at":"2024-05-06T07:08:09Z"}}],"update_filter":{"must":[{"key":"count","range":{"gte":1,"lt":10}}]}}"""),
        ("PUT", $"/collections/{Name}/points/vectors?wait=true", """{"points":[{"id":1,"vector":{"d":[0,0,0,1]}}]}"""),
        ("POST", $"/collections/{Name}/points/vectors/delete?wait=true", """{"points":[2],"vector":["d"]}"""),
        ("POST", $"/collections/{Name}/points/payload?wait=true",
            """{"payload":{"price":1.5,"a":{"b":null}},"points":[1,2],"key":"extra"}"""),
        ("PUT", $"/collections/{Name}/points/payload?wait=true",
            """{"payload":{"city":"Paris"},"filter":{"must":[{"key":"city","match":{"value":"Berlin"}}]}}"""),
        ("POST", $"/collections/{Name}/points/payload/delete?wait=true", """{"keys":["price","nested[0].k"],"points":[1]}"""),
        ("POST", $"/collections/{Name}/points/payload/clear?wait=true", """{"points":[3]}"""),
        ("POST", $"/collections/{Name}/points/delete?wait=true", """{"filter":{"should":[{"has_id":[3]},{"is_empty":{"key":"city"}}]}}"""),
        ("POST", $"/collections/{Name}/points/batch?wait=true",
            """{"operations":[{"upsert":{"points":[{"id":9,"vector":{"d":[1,1,1,1]}}]}},{"set_payload":{"payload":{"n":1},"points":[9]}}"""
                + """,{"delete":{"points":[9]}}]}"""),
        ("POST", $"/collections/{Name}/points",
            """{"ids":[1,2,"98a9a4b1-4ef2-46fb-8315-a97d874fe1d7"],"with_payload":["city"],"with_vector":["d"]}"""),
        ("POST", $"/collections/{Name}/points/scroll",
            """{"limit":5,"offset":1,"with_payload":{"exclude":["tags"]},"filter":{"must_not":[{"key":"nested","values_count":{"gt":1}}]"""
                + """}}"""),
        ("POST", $"/collections/{Name}/points/scroll", """{"order_by":{"key":"count","direction":"desc","start_from":5},"limit":3}"""),
        ("POST", $"/collections/{Name}/points/count",
            """{"filter":{"must":[{"nested":{"key":"nested","filter":{"must":[{"key":"k","match":{"any":[1,2]}}]}}}]},"exact":true}"""),
        ("POST", $"/collections/{Name}/facet", """{"key":"city","limit":3,"exact":true}"""),
        ("POST", $"/collections/{Name}/points/search",
            """{"vector":{"name":"d","vector":[1,2,3,4]},"limit":3,"with_payload":true,"params":{"hnsw_ef":16,"exact":false}"""
                + ""","score_threshold":0.1}"""),
        ("POST", $"/collections/{Name}/points/query",
            """{"query":[1,2,3,4],"using":"d","limit":3,"filter":{"min_should":{"conditions":[{"key":"city","match":{"text":"lin"}}]"""
                + ""","min_count":1}}}"""),
        ("POST", $"/collections/{Name}/points/query",
            """{"prefetch":[{"query":[1,2,3,4],"using":"d","limit":5},{"query":{"text":"searched text"},"using":"t"},{"query":"""
                + """{"indices":[3],"values":[1]},"using":"s"}],"query":{"rrf":{"k":60,"weights":[1,2,0.5]}},"limit":4}"""),
        ("POST", $"/collections/{Name}/points/query",
            """{"prefetch":{"query":1,"using":"d"},"query":{"formula":{"sum":["$score",{"mult":[0.5,{"key":"city","match":"""
                + """{"value":"Berlin"}}]},{"exp_decay":{"x":"count","target":5,"scale":2}}]},"defaults":{"count":1}}}"""),
        ("POST", $"/collections/{Name}/points/query",
            """{"query":{"recommend":{"positive":[1,[1,0,0,0]],"negative":[2],"strategy":"best_score"}},"using":"d"}"""),
        ("POST", $"/collections/{Name}/points/query",
            """{"query":{"discover":{"target":[1,0,0,0],"context":[{"positive":1,"negative":2}]}},"using":"d"}"""),
        ("POST", $"/collections/{Name}/points/query",
            """{"query":{"nearest":[[1,2],[2,1]],"mmr":{"diversity":0.3,"candidates_limit":10}},"using":"m","with_vector":true}"""),
        ("POST", $"/collections/{Name}/points/query/groups",
            """{"query":[1,2,3,4],"using":"d","group_by":"city","group_size":2,"limit":3}"""),
        ("POST", $"/collections/{Name}/points/query/batch",
            """{"searches":[{"query":{"sample":"random"},"limit":2},{"query":{"order_by":"count"}}]}"""),
        ("POST", $"/collections/{Name}/points/search/matrix/pairs", """{"sample":5,"limit":2,"using":"d"}"""),
        ("PUT", $"/collections/{Name}/index?wait=true",
            """{"field_name":"body","field_schema":{"type":"text","tokenizer":"word","lowercase":true,"phrase_matching":true}}"""),
        ("POST", "/collections/aliases",
            """{"actions":[{"create_alias":{"collection_name":"fuzzed","alias_name":"other"}},{"delete_alias":{"alias_name":"other"}}]}"""),
    ];

    private static readonly string[] Values =
    [
        "0", "1", "-1", "2", "3.5", "1e400", "-0.0", "9007199254740993", "18446744073709551616", "1e-50", "65536", "2147483648", "true",
            "false", "null",
        "\"\"", "\"x\"", "\"d\"", "\"s\"", "\"city\"", "\"a.b[].c\"", "\"a[\"", "\"\\u0000\"", "\"\ud83d\ude00\"",
            "\"\\ud800\"", "\"\\udc00x\"",
            "\"2024-01-01T00:00:00Z\"", "[]", "{}", "[1,2,3,4]",
        "[[1,2],[3,4]]", "[[]]", "{\"a\":{}}", "[null]", "\"98a9a4b1-4ef2-46fb-8315-a97d874fe1d7\"",
            "{\"text\":\"some text\",\"model\":\"qdrant/bm25\"}",
    ];

    /// <summary>Names of members, as they stand between the quotes.</summary>
    private static readonly string[] Names =
        ["n1", "n2", "", "\\ud800", "\\udc00", "\\u0000", "a.b[]", "key\\\"", new string('k', 201),
            new string('k', 300), new string('k', 70_000)];

    /// <summary>Appended to the query string; none makes a write asynchronous, so that the state after it is certain.</summary>
    private static readonly string[] Parameters =
    [
        "timeout=0", "timeout=-1", "timeout=86400", "timeout=99999999999999999999", "timeout=1e3", "timeout=", "timeout", "wait=maybe",
            "wait=",
            "wait=true&wait=true", "ordering=strong", "ordering=tidy", "ordering=%ud800", "consistency=quorum", "consistency=0",
            "consistency=-1", "consistency=18446744073709551616", "%", "%00", "%ff=%ff", "=", "&&", "unknown=1", "wait[]=true",
    ];

    private static readonly string[] Encodings = ["gzip", "deflate", "br", "identity", "zstd", "gzip, br", ""];

    private readonly Random _random = new(seed);

    /// <summary>Sends so many requests.</summary>
    public async Task<FuzzReport> RunAsync(int count)
    {
        var report = new FuzzReport();
        var state = "";
        for (var i = 0; i < count; i++)
        {
            if (i % RequestsBetweenResets == 0)
            {
                await ResetAsync();
                state = await StateAsync();
            }

            var (method, path, original) = Seeds[_random.Next(Seeds.Length)];
            var body = Mutate(original);
            report.Sent++;
            report.ParsedAsJson += IsJson(body) ? 1 : 0;
            if (_random.Next(16) == 0)
                path += (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + Parameters[_random.Next(Parameters.Length)];
            var encoding = _random.Next(16) == 0 ? Encodings[_random.Next(Encodings.Length)] : null;
            var status = await SendAsync(method, path, encoding is null ? body : Encode(body, encoding), report, encoding);
            if (status is >= 200 and < 300)
            {
                report.Accepted++;
                if (path.StartsWith("/collections/fuzzed_new", StringComparison.Ordinal))
                    await SendAsync("DELETE", "/collections/fuzzed_new", null, report);
                state = await StateAsync();
            }
            else if (await StateAsync() is var now && now != state)
            {
                report.Failures.Add($"{method} {path} was refused with {status} and changed something: {Show(body)}; now: "
                    + string.Join(' ', now.Split('\n').Except(state.Split('\n'))));
                state = now;
            }
        }

        return report;
    }

    private async Task ResetAsync()
    {
        await RequireAsync("DELETE", $"/collections/{Name}", null);
        await RequireAsync("PUT", $"/collections/{Name}", """
            {"vectors":{"d":{"size":4,"distance":"Cosine"},"m":{"size":2,"distance":"Dot","multivector_config":{"comparator":"max_sim"}}},
             "sparse_vectors":{"s":{}},"text":{"t":{"path":"body"}}}
            """);
        await RequireAsync("PUT", $"/collections/{Name}/index?wait=true", """{"field_name":"city","field_schema":"keyword"}""");
        await RequireAsync("PUT", $"/collections/{Name}/index?wait=true", """{"field_name":"count","field_schema":"integer"}""");
        await RequireAsync("PUT", $"/collections/{Name}/points?wait=true", """
            {"points":[
                {"id":1,"vector":{"d":[1,2,3,4],"m":[[1,1]]},"payload":{"city":"Berlin","count":1}},
                {"id":2,"vector":{"d":[4,3,2,1]},"payload":{"city":"London","count":7}}]}
            """);
    }

    /// <summary>All that a caller can see of what is stored.</summary>
    private async Task<string> StateAsync()
    {
        var points = await RequireAsync("POST", $"/collections/{Name}/points/scroll", """{"limit":1000,"with_vector":true}""");
        var settings = await RequireAsync("GET", $"/collections/{Name}", null);
        var names = await RequireAsync("GET", "/collections", null);
        var aliases = await RequireAsync("GET", "/aliases", null);
        return string.Join('\n', points.GetRawText(), settings.GetProperty("config").GetRawText(),
            PayloadSchema(settings), names.GetRawText(), aliases.GetRawText());
    }

    /// <summary>What indexes there are. How many points they cover is left out: versions of points that are gone leave it later.</summary>
    private static string PayloadSchema(JsonElement settings) => string.Join(',',
        settings.GetProperty("payload_schema").EnumerateObject().Select(static index => JsonSerializer.Serialize(index.Name) + ":"
            + index.Value.GetProperty("data_type").GetRawText()
            + (index.Value.TryGetProperty("params", out var parameters) ? parameters.GetRawText() : "")));

    private async Task<JsonElement> RequireAsync(string method, string path, string? body)
    {
        using var request = Request(method, path, body is null ? null : Encoding.UTF8.GetBytes(body));
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? JsonElement.Parse(text).GetProperty("result")
            : throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {text}");
    }

    private async Task<int> SendAsync(string method, string path, byte[]? body, FuzzReport report, string? encoding = null)
    {
        try
        {
            using var request = Request(method, path, body);
            if (encoding is not null)
                request.Content!.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            using var response = await client.SendAsync(request, limit.Token);
            var status = (int)response.StatusCode;
            if (status >= 500)
                report.Failures.Add(
                    $"{method} {path} answered {status} {await response.Content.ReadAsStringAsync(limit.Token)}: {Show(body)}");
            return status;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            report.Failures.Add($"{method} {path} got no answer ({e.Message}): {Show(body)}");
            return 0;
        }
    }

    private static HttpRequestMessage Request(string method, string path, byte[]? body)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return request;
    }

    /// <summary>The body as the encoding says, or as it only claims, or damaged.</summary>
    private byte[] Encode(byte[] body, string encoding)
    {
        if (_random.Next(4) == 0)
            return body;
        using var packed = new MemoryStream();
        using (Stream? stream = encoding switch
        {
            "gzip" => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            _ => null,
        })
        {
            if (stream is null)
                return body;
            stream.Write(body);
        }

        return _random.Next(3) > 0 ? packed.ToArray() : MutateBytes(packed.ToArray());
    }

    private byte[] Mutate(string original)
    {
        if (_random.Next(5) == 0)
            return MutateBytes(Encoding.UTF8.GetBytes(original));
        var text = original;
        for (var n = _random.Next(4) == 0 ? 2 : 1; n > 0 && !HasHalf(text); n--)
            text = MutateValue(text);
        return Encoding.UTF8.GetBytes(text);
    }

    /// <summary>Whether there is half a surrogate pair in it, which the documents of .NET cannot write again.</summary>
    private static bool HasHalf(string text) =>
        text.Contains("\\ud800", StringComparison.Ordinal) || text.Contains("\\udc00", StringComparison.Ordinal);

    /// <summary>Replaces, removes, repeats or renames a part of the document; it stays JSON but for values that are none.</summary>
    private string MutateValue(string text)
    {
        JsonNode root;
        try
        {
            root = JsonNode.Parse(text)!;
        }
        catch (JsonException)
        {
            return text;
        }

        var places = new List<(JsonNode Parent, object Key)>();
        Collect(root, places);
        if (places.Count == 0)
            return text;
        var (parent, key) = places[_random.Next(places.Count)];
        const string Marker = "\"@@\"";
        var old = parent is JsonObject o ? o[(string)key]?.ToJsonString() ?? "null" : parent.AsArray()[(int)key]?.ToJsonString() ?? "null";
        switch (_random.Next(6))
        {
            case 0 when parent is JsonObject members:
                members.Remove((string)key);
                return root.ToJsonString();
            case 1 when parent is JsonObject members:
                if (_random.Next(2) == 0)
                    members.Remove((string)key);
                members["@@"] = JsonNode.Parse(old);
                return root.ToJsonString().Replace(Marker, "\"" + Names[_random.Next(Names.Length)] + "\"", StringComparison.Ordinal);
            case 2 when parent is JsonArray items:
                items.Add(JsonNode.Parse(old));
                return root.ToJsonString();
            case 3 when double.TryParse(old, out _):
                return Put(root, parent, key, Marker).Replace(Marker,
                    _random.Next(1, 20).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
            case 4 when old.StartsWith('"') && old.Length > 2:
                return Put(root, parent, key, Marker).Replace(Marker, old.Insert(1 + _random.Next(old.Length - 2), "z"),
                    StringComparison.Ordinal);
            default:
                return Put(root, parent, key, Marker).Replace(Marker, Values[_random.Next(Values.Length)], StringComparison.Ordinal);
        }
    }

    private static string Put(JsonNode root, JsonNode parent, object key, string marker)
    {
        var value = JsonNode.Parse(marker);
        if (parent is JsonObject members)
            members[(string)key] = value;
        else
            parent.AsArray()[(int)key] = value;
        return root.ToJsonString();
    }

    private static void Collect(JsonNode? node, List<(JsonNode Parent, object Key)> places)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    places.Add((members, name));
                    Collect(value, places);
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    places.Add((items, i));
                    Collect(items[i], places);
                }

                break;
        }
    }

    private byte[] MutateBytes(byte[] bytes)
    {
        var list = new List<byte>(bytes);
        for (var n = _random.Next(1, 4); n > 0 && list.Count > 0; n--)
        {
            var at = _random.Next(list.Count);
            switch (_random.Next(5))
            {
                case 0:
                    list[at] = (byte)_random.Next(256);
                    break;
                case 1:
                    list.RemoveRange(at, Math.Min(list.Count - at, _random.Next(1, 8)));
                    break;
                case 2:
                    list.Insert(at, (byte)"{}[]\",:0e.\\"[_random.Next(11)]);
                    break;
                case 3:
                    list.InsertRange(at, list.GetRange(at, Math.Min(list.Count - at, _random.Next(1, 20))));
                    break;
                default:
                    list.RemoveRange(at, list.Count - at);
                    break;
            }
        }

        return [.. list];
    }

    private static bool IsJson(byte[] body)
    {
        try
        {
            JsonElement.Parse(body);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Show(byte[]? body) => body is null ? "" : Encoding.UTF8.GetString(body);
}
