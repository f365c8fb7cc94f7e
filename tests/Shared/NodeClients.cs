using System.Diagnostics;

namespace Granary.Testing;

/// <summary>Qdrant's JavaScript clients as tests/clients/package.json names them, run by Node.</summary>
internal static class NodeClients
{
    private static string Folder { get; } = FindFolder();

    /// <summary>Runs a script of tests/clients, or Node's own options, in that folder, with the clients installed.</summary>
    public static async Task<(int Exit, string Output)> RunAsync(params IEnumerable<string> arguments)
    {
        await Task.Run(Install);
        return await RunAsync("node", arguments);
    }

    private static void Install()
    {
        // Test projects may run beside each other, and npm may not.
        using var one = new Mutex(initiallyOwned: false, "granary-tests-clients");
        one.WaitOne();
        try
        {
            if (File.Exists(Path.Combine(Folder, "node_modules", ".package-lock.json")))
                return;
            var (exit, log) = RunAsync("npm", ["ci", "--no-audit", "--no-fund"]).GetAwaiter().GetResult();
            if (exit != 0)
                throw new InvalidOperationException(log);
        }
        finally
        {
            one.ReleaseMutex();
        }
    }

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var clients = Path.Combine(folder.FullName, "tests", "clients");
            if (File.Exists(Path.Combine(clients, "run.mjs")))
                return clients;
        }

        throw new DirectoryNotFoundException("tests/clients was not found above the test's folder");
    }

    private static async Task<(int Exit, string Output)> RunAsync(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }
}
