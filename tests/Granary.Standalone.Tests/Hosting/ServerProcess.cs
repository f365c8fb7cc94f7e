using System.Diagnostics;

namespace Granary.Standalone.Tests.Hosting;

/// <summary>The real executable in a process of its own.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const string Announcement = "Granary is listening on ";

    private readonly Process _process;
    private readonly Task<string> _errors;

    private ServerProcess(Process process) => (_process, _errors) = (process, process.StandardError.ReadToEndAsync());

    /// <summary>All it writes to standard error, once it has ended.</summary>
    public Task<string> Errors => _errors;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Starts a server on a free port and waits for its announcement.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message is what it wrote to standard error.</exception>
    public static async Task<ServerProcess> StartAsync(string storage, params IEnumerable<string> more)
    {
        var server = new ServerProcess(Launch(["--storage", storage, "--urls", "http://127.0.0.1:0", .. more]));
        if (await server._process.StandardOutput.ReadLineAsync() is { } line && line.StartsWith(Announcement, StringComparison.Ordinal))
        {
            server.Address = new Uri(line[Announcement.Length..]);
            return server;
        }

        var errors = await server._errors;
        server.Dispose();
        throw new InvalidOperationException(errors);
    }

    /// <summary>Runs a command to its end.</summary>
    public static Task<(int ExitCode, string Output, string Errors)> RunAsync(params IEnumerable<string> arguments) =>
        RunInAsync(Environment.CurrentDirectory, new Dictionary<string, string>(), arguments);

    /// <summary>As <see cref="RunAsync"/>, in a folder and with environment variables.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunInAsync(
        string folder, IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments)
    {
        using var process = Launch(arguments, folder, environment);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await errors);
    }

    /// <summary>Ends it as the operating system does when it wants no discussion.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits for its end; returns its exit code.</summary>
    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Asks it to stop (SIGTERM); returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        return await WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static Process Launch(
        IEnumerable<string> arguments, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "granary.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
