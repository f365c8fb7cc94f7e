using Granary.Standalone.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

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
        // A connection keeps a block to receive into: asking the kernel first whether anything came costs two calls a request.
        builder.Services.Configure<SocketTransportOptions>(static sockets => sockets.WaitForDataBeforeAllocatingBuffer = false);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ReceiveBlocks>();
        builder.Logging.SetMinimumLevel(settings.LogLevel).AddSimpleConsole(static console => console.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        // A failure to start is thrown to the caller and told there, once.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        // While this category may log anything at all, each request gets an activity and a scope, though nobody listens. What it logs of
        // requests is at the level of information; who traces still gets activities.
        if (settings.LogLevel > LogLevel.Information)
            builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = stopTimeout);
        builder.Services.Configure<ConsoleLifetimeOptions>(static lifetime => lifetime.SuppressStatusMessages = true);
        builder.Services.AddSingleton(TimeProvider.System);
        return builder;
    }
}
