using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Granary.Client;

/// <summary>Registers a client.</summary>
public static class GranaryServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="IGranaryClient"/>: over a server for <c>http://...</c> and <c>https://...</c>, else over a database in this
    /// process for <c>mem:</c>, <c>file:PATH</c>, <c>sqlite:PATH</c> or <c>postgres://…</c>, which is opened when the host starts and
    /// drained and closed when it stops.
    /// </summary>
    /// <exception cref="Granary.Index.GranaryException">The connection string names no known scheme or no path.</exception>
    public static IServiceCollection AddGranary(this IServiceCollection services, string connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (connection.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || connection.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            return services.AddGranary(new Uri(connection));
        return services.AddGranary(options => options with { Storage = connection });
    }

    /// <summary>Registers <see cref="IGranaryClient"/> over a server.</summary>
    public static IServiceCollection AddGranary(this IServiceCollection services, Uri url, string? apiKey = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(url);
        return services.AddSingleton<IGranaryClient>(new GranaryHttpClient(url, apiKey));
    }

    /// <summary>
    /// Registers <see cref="IGranaryClient"/> over a database in this process: <c>AddGranary(o => o with { Storage = "file:./data" })</c>.
    /// </summary>
    public static IServiceCollection AddGranary(
        this IServiceCollection services, Func<EmbeddedGranaryOptions, EmbeddedGranaryOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = configure(new EmbeddedGranaryOptions());
        GranaryStorage.Split(options.Storage);
        services.AddSingleton(_ => new EmbeddedGranaryClient(options));
        services.AddSingleton<IGranaryClient>(static provider => provider.GetRequiredService<EmbeddedGranaryClient>());
        return services.AddHostedService<OpenAtStart>();
    }

    /// <summary>Opens the database while the host starts, so that a bad folder stops the start and not the first request.</summary>
    private sealed class OpenAtStart(EmbeddedGranaryClient client) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => client.OpenAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
