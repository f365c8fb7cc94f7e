using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Granary.Tests.Shared;

/// <summary>
/// A PostgreSQL server of the test's own: the machine's programs, a temporary folder, a free port of the loopback address. It is stopped
/// and its folder removed when it is disposed, or when the process of the test ends, however it ends.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "granary";
    private static readonly string[] AccountsToRunAs = ["postgres", "nobody"];
    private static readonly string[] Programs = ["initdb", "pg_ctl", "createdb"];
    private readonly string _programs;
    private readonly string _folder;
    private readonly Process _guard;
    private readonly int _port;

    private PostgresServer(string programs, string folder, int port, Process guard) =>
        (_programs, _folder, _port, _guard) = (programs, folder, port, guard);

    /// <summary>Where the server listens.</summary>
    public int Port => _port;

    /// <summary>The address of a database, as Granary takes it.</summary>
    public string Address(string database = "postgres") =>
        string.Create(CultureInfo.InvariantCulture, $"postgres://{User}@127.0.0.1:{_port}/{database}");

    /// <summary>Starts an empty server.</summary>
    /// <param name="settings">Settings beside the defaults, as in <c>shared_buffers=64MB</c>.</param>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or does not start.</exception>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        var programs = FindPrograms();
        var folder = Directory.CreateTempSubdirectory("granary-postgres-").FullName;
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", RunAs(), folder);
        var data = Path.Combine(folder, "data");
        // Its input ends with this process; then nothing stays behind.
        var guard = Start(
            "sh", redirectInput: true, "-c", "exec >/dev/null 2>&1; cat; \"$0/pg_ctl\" -D \"$1/data\" -m immediate -w stop; rm -rf \"$1\"",
            programs, folder);
        await RunAsync(
            "sh", "-c", "exec \"$0\" \"$@\" >/dev/null", Path.Combine(programs, "initdb"), "-D", data, "-U", User, "-A", "trust",
            "-E", "UTF8", "--locale=C", "--no-sync");
        var server = new PostgresServer(programs, folder, FreePort(), guard);
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "settings"),
            [
                string.Create(CultureInfo.InvariantCulture, $"port={server._port}"), "listen_addresses='127.0.0.1'",
                "unix_socket_directories=''", "max_connections=200", .. settings,
            ]);
        await RunAsync("sh", "-c", "cat \"$0/settings\" >> \"$0/data/postgresql.conf\"", folder);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an empty database and returns its address.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await RunAsync(
            Path.Combine(_programs, "createdb"), "-h", "127.0.0.1", "-p", _port.ToString(CultureInfo.InvariantCulture), "-U", User, name);
        return Address(name);
    }

    /// <summary>Starts the server again after it was stopped or killed, and waits until it lets users in.</summary>
    public async Task StartAgainAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ControlAsync("-l", Path.Combine(_folder, "log"), "-w", "-t", "60", "start");
                return;
            }
            catch (InvalidOperationException) when (attempt < 5)
            {
                // A process of the one that was killed is still about to end, or the port is taken for a moment.
            }
        }
    }

    /// <summary>Stops the server; connections are cut, transactions rolled back.</summary>
    public Task StopAsync() => ControlAsync("-m", "fast", "-w", "stop");

    /// <summary>Stops and starts it.</summary>
    public Task RestartAsync() => ControlAsync("-l", Path.Combine(_folder, "log"), "-m", "fast", "-w", "-t", "60", "restart");

    /// <summary>Ends all its processes at once, as a crash of the machine's would without the loss of its memory.</summary>
    public async Task KillAsync()
    {
        var processes = Processes();
        await SignalAsync("KILL", processes);
        while (processes.Any(p => Directory.Exists($"/proc/{p}") && !IsZombie(p)))
            await Task.Yield();
        // Where nobody collects dead processes the next start would take the dead one for a running one.
        File.Delete(Path.Combine(_folder, "data", "postmaster.pid"));
    }

    /// <summary>Stops all its processes where they are, until <see cref="ResumeAsync"/>.</summary>
    public Task PauseAsync() => SignalAsync("STOP", Processes());

    /// <summary>Lets them go on.</summary>
    public Task ResumeAsync() => SignalAsync("CONT", Processes());

    /// <summary>What the server wrote into its log.</summary>
    public string ReadLog() => File.ReadAllText(Path.Combine(_folder, "log"));

    /// <summary>Stops the server and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_guard.HasExited)
            return;
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync();
    }

    /// <summary>The main process and its children.</summary>
    private List<int> Processes()
    {
        var main = Number(File.ReadLines(Path.Combine(_folder, "data", "postmaster.pid")).First());
        var processes = new List<int> { main };
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            var process = Number(Path.GetFileName(folder));
            if (process > 0 && Status(process) is [_, var parent, ..] && Number(parent) == main)
                processes.Add(process);
        }

        return processes;
    }

    private static bool IsZombie(int process) => Status(process) is ["Z", ..];

    /// <summary>The fields of /proc/PID/stat behind the program's name: state, parent and more.</summary>
    private static string[] Status(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static Task SignalAsync(string signal, List<int> processes) =>
        RunAsync("kill", [$"-{signal}", .. processes.Select(p => p.ToString(CultureInfo.InvariantCulture))]);

    private Task ControlAsync(params string[] arguments) =>
        RunAsync(Path.Combine(_programs, "pg_ctl"), ["-D", Path.Combine(_folder, "data"), "-s", .. arguments]);

    private static string FindPrograms()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        var folders = path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).ToList();
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            folders.AddRange(Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(f => Number(Path.GetFileName(f)))
                .Select(f => Path.Combine(f, "bin")));
        }

        return folders.FirstOrDefault(f => Programs.All(p => File.Exists(Path.Combine(f, p))))
            ?? throw new InvalidOperationException(
                "PostgreSQL is not installed: neither the PATH nor /usr/lib/postgresql/*/bin has initdb, pg_ctl and createdb. On Debian "
                    + "and Ubuntu `apt-get install postgresql` brings them; these tests need version 15 or later.");
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string RunAs()
    {
        var accounts = File.ReadLines("/etc/passwd").Select(l => l.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
        return AccountsToRunAs.FirstOrDefault(accounts.Contains)
            ?? throw new InvalidOperationException("PostgreSQL does not run as root, and there is no user postgres or nobody.");
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Start(program, redirectInput: false, arguments);
        // Not to the end of its output: a server that it started has it still.
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with code {process.ExitCode}.");
    }

    /// <summary>PostgreSQL refuses to run as root, so that everything of its own is run as somebody else then.</summary>
    private static Process Start(string program, bool redirectInput, params string[] arguments)
    {
        var drop = Environment.IsPrivilegedProcess && program is not ("chown" or "kill");
        var start = new ProcessStartInfo(drop ? "setpriv" : program)
        {
            RedirectStandardInput = redirectInput,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        if (drop)
        {
            foreach (var argument in (string[])["--reuid", RunAs(), "--regid", "nogroup", "--clear-groups", program])
                start.ArgumentList.Add(argument);
        }

        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        start.Environment.Remove("PGDATA");
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start.");
    }
}
