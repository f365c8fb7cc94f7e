using System.CommandLine;
using System.CommandLine.Invocation;
using Granary.Standalone.Demo;
using Granary.Standalone.Hosting;
using Granary.Standalone.Import;
using Granary.Standalone.Settings;

namespace Granary.Standalone;

/// <summary>The command line: <c>granary</c>, <c>granary demo</c>, <c>granary import</c>, <c>granary migrate</c>.</summary>
internal static class Commands
{
    /// <summary>Parses and runs; the process's exit code is 0, or 1 after one line of explanation on standard error.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Build().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
        {
            var command = parsed.CommandResult.Command is RootCommand ? "granary" : $"granary {parsed.CommandResult.Command.Name}";
            var problems = string.Join(" ", parsed.Errors.Select(static error => error.Message));
            await Console.Error.WriteLineAsync($"granary: {problems} See `{command} --help`.");
            return 1;
        }

        // The host handles signals itself, so that a stop drains; the parser's own handler would end the process after two seconds.
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        });
    }

    /// <summary>The commands with their options.</summary>
    public static RootCommand Build()
    {
        var root = new RootCommand("Granary: hybrid search (dense vectors and BM25) behind the REST API that Qdrant's clients speak. "
            + "Without a command it serves.");
        var options = new SettingOptions(root, AllSettings.All);
        root.SetAction((parsed, cancellation) => GuardAsync(() => ServeAsync(options.Read(parsed), cancellation)));
        root.Subcommands.Add(DemoCommand.Build());
        root.Subcommands.Add(ImportCommand.Build());
        root.Subcommands.Add(MigrateCommand.Build());
        return root;
    }

    /// <summary>Runs a command; what went wrong becomes one line and exit code 1.</summary>
    public static Task<int> GuardAsync(Func<Task<int>> run) => Guard.RunAsync("granary", run);

    private static async Task<int> ServeAsync(SettingValues values, CancellationToken cancellation)
    {
        await using var server = await GranaryServer.StartAsync(ServerSettings.From(values), cancellation);
        await server.WaitForStopAsync(cancellation);
        return 0;
    }
}
