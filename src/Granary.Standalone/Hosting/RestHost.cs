using Granary.Standalone.Settings;

namespace Granary.Standalone.Hosting;

/// <summary>What both executables want of Kestrel, of logging and of the end of the process.</summary>
internal static class RestHost
{
    /// <summary>Begins an application that listens on these addresses.</summary>
    public static WebApplicationBuilder Begin(ServerSettings settings, string[] urls, TimeSpan stopTimeout)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel(static kestrel => kestrel.AddServerHeader = false);
        builder.WebHost.UseUrls(urls);
        builder.Logging.SetMinimumLevel(settings.LogLevel).AddSimpleConsole(static console => console.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        // A failure to start is thrown to the caller and told there, once.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = stopTimeout);
        builder.Services.Configure<ConsoleLifetimeOptions>(static lifetime => lifetime.SuppressStatusMessages = true);
        builder.Services.AddSingleton(TimeProvider.System);
        return builder;
    }
}
