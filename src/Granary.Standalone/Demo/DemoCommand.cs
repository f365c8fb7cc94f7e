using System.CommandLine;
using Granary.Client;
using Granary.Standalone.Hosting;
using Granary.Standalone.Settings;

namespace Granary.Standalone.Demo;

/// <summary><c>granary demo</c>: serves, loads the sample collection, answers three hybrid queries, and keeps serving.</summary>
internal static class DemoCommand
{
    public static Command Build()
    {
        var command = new Command(
            "demo", "Starts the server, loads 5,000 Debian package descriptions, answers three hybrid queries, then keeps serving.");
        var options = new SettingOptions(command, [.. AllSettings.All, .. CommandSettings.Demo]);
        command.SetAction((parsed, cancellation) => Commands.GuardAsync(() => RunAsync(options.Read(parsed), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(SettingValues values, CancellationToken cancellation)
    {
        var settings = ServerSettings.From(values);
        var exit = values.Flag(CommandSettings.Exit);
        var embedder = await DemoEmbedder.FindAsync(settings.Engine, cancellation);
        await using var server = await GranaryServer.StartAsync(settings, cancellation);
        await using var client = new GranaryHttpClient(server.Addresses[0], settings.Http.ApiKey);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, server.Stopping);
        try
        {
            await new SampleLoader(client, embedder).LoadAsync(stop.Token);
            await new DemoQueries(client, embedder.Model).RunAsync(stop.Token);
        }
        catch (OperationCanceledException) when (server.Stopping.IsCancellationRequested)
        {
            return 0;
        }

        if (exit)
            return 0;
        Console.WriteLine($"Serving on {server.Addresses[0].GetLeftPart(UriPartial.Authority)}; Ctrl-C stops.");
        await server.WaitForStopAsync(cancellation);
        return 0;
    }
}
