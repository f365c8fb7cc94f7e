using System.CommandLine;
using System.CommandLine.Invocation;
using Granary.Standalone.Hosting;
using Granary.Standalone.Settings;
using Granary.Storage.Postgres;

namespace Granary.Silo;

/// <summary>The command line: <c>granary-silo</c>, <c>granary-silo migrate</c>.</summary>
internal static class Commands
{
    /// <summary>Parses and runs; the process's exit code is 0, or 1 after one line of explanation on standard error.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Build().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
        {
            var problems = string.Join(" ", parsed.Errors.Select(static error => error.Message));
            await Console.Error.WriteLineAsync($"granary-silo: {problems} See `granary-silo --help`.");
            return 1;
        }

        // The host handles signals itself, so that a stop hands partitions over.
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        });
    }

    /// <summary>The commands with their options.</summary>
    public static RootCommand Build()
    {
        var root = new RootCommand("Granary's cluster: an Orleans silo with the REST API that Qdrant's clients speak, over PostgreSQL.");
        var options = new SettingOptions(root, SiloSettings.All);
        root.SetAction((parsed, cancellation) => GuardAsync(async () =>
        {
            await using var server = await SiloServer.StartAsync(SiloSettings.From(options.Read(parsed)), cancellation);
            await server.WaitForStopAsync(cancellation);
        }));
        var migrate = new Command("migrate", "Brings the database's schema up to date, and ends.");
        var storage = new SettingOptions(migrate, [SiloSettings.Storage]);
        migrate.SetAction((parsed, cancellation) => GuardAsync(async () =>
        {
            var applied = await PostgresStorage.MigrateAsync(SiloSettings.ReadStorage(storage.Read(parsed)), cancellation);
            var names = string.Join(", ", applied.Select(static m => m.Name));
            Console.WriteLine(applied.Count == 0 ? "The schema is up to date." : $"Applied: {names}");
        }));
        root.Subcommands.Add(migrate);
        return root;
    }

    private static Task<int> GuardAsync(Func<Task> run) => Guard.RunAsync("granary-silo", async () =>
    {
        await run();
        return 0;
    });
}
