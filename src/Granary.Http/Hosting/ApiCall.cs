using System.Diagnostics;
using System.Globalization;
using Granary.Collections;
using Granary.Http.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Http.Hosting;

/// <summary>One request on its way through an endpoint.</summary>
internal sealed partial class ApiCall(HttpContext http, IDatabase database, ApiState state)
{
    private static readonly ReadOptions NoTimeout = new();
    private readonly long _started = Stopwatch.GetTimestamp();

    /// <summary>The engine.</summary>
    public IDatabase Database { get; } = database;

    /// <summary>What the host tells of its cluster; null where it is none.</summary>
    public IClusterInfo? Cluster => Http.RequestServices.GetService<IClusterInfo>();

    /// <summary>What the server counts and knows about itself.</summary>
    public ApiState State { get; } = state;

    /// <summary>The request and the response.</summary>
    public HttpContext Http { get; } = http;

    /// <summary>Ends when the caller hangs up.</summary>
    public CancellationToken Cancellation => Http.RequestAborted;

    /// <summary>Time since the request came.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>A part of the path.</summary>
    public string Route(string name)
    {
        var part = (string?)Http.GetRouteValue(name) ?? "";
        return part.Contains('%') ? part.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase) : part;
    }

    /// <summary>The collection's name from the path.</summary>
    public string CollectionName
    {
        get
        {
            var name = Route("collection_name");
            return name.Length is >= 1 and <= 255
                ? name
                : throw new ApiException(422,
                    $"Validation error in path parameters: [collection_name: value {JsonText.Quote(name)} invalid, must be from 1 to 255 "
                        + "characters]");
        }
    }

    /// <summary>The collection the path names.</summary>
    public ValueTask<ICollection> CollectionAsync() => Database.GetCollectionAsync(CollectionName, Cancellation);

    /// <summary>A query parameter, or null.</summary>
    public string? Parameter(string name) =>
        Http.Request.QueryString.HasValue && Http.Request.Query.TryGetValue(name, out var values) ? values[^1] : null;

    /// <summary>A boolean query parameter.</summary>
    public bool Flag(string name, bool absent = false) => Parameter(name) switch
    {
        null => absent,
        "true" => true,
        "false" => false,
        _ => throw BadParameter($"provided string was not `true` or `false` ({name})"),
    };

    /// <summary>The <c>timeout</c> parameter.</summary>
    public TimeSpan? Timeout
    {
        get
        {
            if (Parameter("timeout") is not { } text)
                return null;
            if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                throw BadParameter("invalid digit found in string (timeout)");
            if (seconds == 0)
                throw new ApiException(422, "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]");
            return TimeSpan.FromSeconds(Math.Min(seconds, 86_400));
        }
    }

    /// <summary>
    /// How an update is to be answered: <c>wait</c>, <c>timeout</c>; <c>ordering</c> is checked and has one meaning here.
    /// </summary>
    public WriteOptions WriteOptions
    {
        get
        {
            if (Parameter("ordering") is { } ordering and not ("weak" or "medium" or "strong"))
                throw BadParameter($"unknown variant `{ordering}`, expected one of `weak`, `medium`, `strong`");
            return new WriteOptions { Wait = Flag("wait"), Timeout = Timeout };
        }
    }

    /// <summary>What a read must see: <c>timeout</c>; <c>consistency</c> is checked and has one meaning here.</summary>
    public ReadOptions ReadOptions
    {
        get
        {
            if (Parameter("consistency") is { } consistency and not ("majority" or "quorum" or "all"))
            {
                if (!ulong.TryParse(consistency, NumberStyles.None, CultureInfo.InvariantCulture, out var replicas))
                    throw BadParameter("failed to parse read consistency query parameter value: "
                        + $"unknown variant `{consistency}`, expected an integer or one of `majority`, `quorum`, `all`");
                if (replicas == 0)
                    throw BadParameter("failed to parse read consistency query parameter value: read consistency factor can't be zero");
            }

            return Timeout is { } limit ? new ReadOptions { Timeout = limit } : NoTimeout;
        }
    }

    private static ApiException BadParameter(string what) => new(400, $"Deserialize error in query parameters: {what}");
}
