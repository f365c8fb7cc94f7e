using System.Diagnostics;
using Granary.Collections;
using Granary.Index;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Http.Hosting;

/// <summary>What a key must allow for an endpoint.</summary>
internal enum Access : byte
{
    /// <summary>Anybody: health checks.</summary>
    Open,

    /// <summary>Reads.</summary>
    Read,

    /// <summary>Changes something.</summary>
    Write,
}

/// <summary>Binds paths to endpoints, and every endpoint to keys, counting and one way of failing.</summary>
internal sealed partial class ApiRouter(IEndpointRouteBuilder routes)
{
    private readonly IDatabase _database = routes.ServiceProvider.GetRequiredService<IDatabase>();
    private readonly ApiState _state = routes.ServiceProvider.GetRequiredService<ApiState>();
    private readonly ApiKeys _keys = routes.ServiceProvider.GetRequiredService<ApiKeys>();
    private readonly ILogger _log = routes.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger("Granary.Http");

    /// <summary>Every endpoint bound so far, for the OpenAPI document.</summary>
    public List<(string Method, string Path, string Summary)> Bound { get; } = [];

    /// <summary>Binds an endpoint.</summary>
    public void Map(string method, string path, Access access, string summary, Func<ApiCall, Task> endpoint)
    {
        Bound.Add((method, path, summary));
        routes.MapMethods(path, [method], http => RunAsync(http, method, path, access, endpoint));
    }

    private async Task RunAsync(HttpContext http, string method, string path, Access access, Func<ApiCall, Task> endpoint)
    {
        var started = Stopwatch.GetTimestamp();
        var call = new ApiCall(http, _database, _state);
        LeaveSizeToUs(http);
        Interlocked.Increment(ref _state.Running);
        try
        {
            if (access != Access.Open)
                _keys.Check(http.Request, access == Access.Write);
            await endpoint(call);
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            await FailAsync(call, e);
        }
        finally
        {
            Interlocked.Decrement(ref _state.Running);
            _state.Count(method, path, http.Response.StatusCode, started, (string?)http.GetRouteValue("collection_name"));
        }
    }

    // The limit is ApiCall.ReadBodyAsync's. Kestrel, with one of its own, would answer and then close the connection instead of reading
    // past what was refused, and the client's next request on it would fail. What else the host serves keeps its limit.
    private static void LeaveSizeToUs(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
    }

    private Task FailAsync(ApiCall call, Exception error)
    {
        switch (error)
        {
            case ApiException e:
                return call.FailAsync(e.Status, e.Message);
            case ApiKeyException e:
                return call.TextAsync(e.Message, e.Status);
            case GranaryException e:
                if (e.RetryAfter is { } wait)
                    call.Http.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(
                        System.Globalization.CultureInfo.InvariantCulture);
                if (e.Kind is ErrorKind.Corrupted or ErrorKind.Internal)
                    LogFailure(e, call.Http.Request.Method, call.Http.Request.Path);
                var (status, text) = Describe(e);
                return call.FailAsync(status, text);
            case BadHttpRequestException e:
                call.Http.Response.Headers.Connection = "close"; // Kestrel reads no further.
                return call.FailAsync(e.StatusCode,
                    e.StatusCode == 413 ? ApiCall.TooLarge(call.Http.Request.ContentLength ?? 0, _state.Options.MaxRequestBytes).Message
                        : e.Message);
            case OperationCanceledException when call.Cancellation.IsCancellationRequested:
                call.Http.Abort();
                return Task.CompletedTask;
            default:
                LogFailure(error, call.Http.Request.Method, call.Http.Request.Path);
                return call.FailAsync(500, $"Service internal error: {error.Message}");
        }
    }

    /// <summary>The status code and the text of an error of the engine's.</summary>
    internal static (int Status, string Text) Describe(GranaryException e) => e.Kind switch
    {
        ErrorKind.BadInput => (400, $"Wrong input: {e.Message}"),
        ErrorKind.BadRequest => (400, $"Bad request: {e.Message}"),
        ErrorKind.Validation when e.Message.StartsWith("Validation error in ", StringComparison.Ordinal) => (422, e.Message),
        ErrorKind.Validation => (422, $"Validation error in JSON body: [{e.Message}]"),
        ErrorKind.NotFound => (404, $"Not found: {e.Message}"),
        ErrorKind.Conflict => (409, $"Wrong input: {e.Message}"),
        ErrorKind.Forbidden => (403, $"Forbidden: {e.Message}"),
        ErrorKind.Timeout => (408, $"Timeout: {e.Message}"),
        ErrorKind.TooManyRequests => (429, $"Rate limiting exceeded: {e.Message}"),
        ErrorKind.Unavailable => (503, $"Shard temporarily unavailable: {e.Message}"),
        ErrorKind.InsufficientStorage => (507, $"Insufficient storage: {e.Message}"),
        _ => (500, $"Service internal error: {e.Message}"),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailure(Exception error, string method, PathString path);
}
