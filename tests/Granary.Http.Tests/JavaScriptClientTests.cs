using System.Diagnostics;

namespace Granary.Http.Tests;

/// <summary>Qdrant's own JavaScript clients against the server, through Node.</summary>
public sealed class JavaScriptClientTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Theory]
    [InlineData("qdrant-118")]
    [InlineData("qdrant-119")]
    public async Task The_client_works_unchanged(string module)
    {
        var folder = ClientsFolder();
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            var (installed, log) = await RunAsync("npm", folder, "ci", "--no-audit", "--no-fund");
            Assert.True(installed == 0, log);
        }

        var (exit, output) = await RunAsync("node", folder, "run.mjs", server.Url, module);
        Assert.True(exit == 0, output);
        Assert.DoesNotContain("FAILED", output, StringComparison.Ordinal);
    }

    private static string ClientsFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var clients = Path.Combine(folder.FullName, "tests", "clients");
            if (File.Exists(Path.Combine(clients, "run.mjs")))
                return clients;
        }

        throw new DirectoryNotFoundException("tests/clients was not found above the test's folder");
    }

    private static async Task<(int Exit, string Output)> RunAsync(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }
}
