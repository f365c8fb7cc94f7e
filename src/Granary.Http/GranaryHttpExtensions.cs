using Granary.Http.Endpoints;
using Granary.Http.Hosting;
using Microsoft.AspNetCore.Builder;
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
        services.AddSingleton(new ApiState(options));
        services.AddSingleton(new ApiKeys(options));
        services.AddRouting();
        services.AddCors(cors => cors.AddDefaultPolicy(static policy => policy.AllowAnyOrigin().AllowAnyMethod().AllowAnyHeader()));
        return services;
    }

    /// <summary>Maps every endpoint, with its limits, keys, compression and error handling.</summary>
    public static WebApplication MapGranary(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var options = app.Services.GetRequiredService<GranaryHttpOptions>();
        if (options.EnableCors)
            app.UseCors();
        _ = GcPauses.OfProcess; // Counts from here on.
        var router = new ApiRouter(app);
        ServiceEndpoints.Map(router);
        CollectionEndpoints.Map(router);
        AliasEndpoints.Map(router);
        IndexEndpoints.Map(router);
        UpdateEndpoints.Map(router);
        ReadEndpoints.Map(router);
        QueryEndpoints.Map(router);
        MatrixEndpoints.Map(router);
        SnapshotEndpoints.Map(router);
        return app;
    }
}
