using System.CommandLine;
using Granary.Client;
using Granary.Standalone.Settings;

namespace Granary.Standalone;

/// <summary><c>granary migrate</c>: makes the tables of a PostgreSQL database, or brings them up to date, and ends.</summary>
internal static class MigrateCommand
{
    public static Command Build()
    {
        var command = new Command(
            "migrate", "Makes the tables that this version needs in the PostgreSQL database of --storage, then ends.");
        var options = new SettingOptions(command, [AllSettings.Storage]);
        command.SetAction((parsed, cancellation) => Commands.GuardAsync(() => RunAsync(options.Read(parsed), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(SettingValues values, CancellationToken cancellation)
    {
        var applied = await GranaryStorage.MigrateAsync(values.Required(AllSettings.Storage), cancellation);
        foreach (var name in applied)
            Console.WriteLine($"Applied {name}");
        if (applied.Count == 0)
            Console.WriteLine("Nothing to apply: the database is up to date.");
        return 0;
    }
}
