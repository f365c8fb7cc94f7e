using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;

namespace Granary.Cluster.Tests.Support;

/// <summary>A silo: its place (ports, folder, settings) stays, its process comes and goes.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private const string Announcement = "Granary is listening on ";
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "granary-silo.dll");
    private readonly ImmutableDictionary<string, string> _settings;
    private readonly string _folder = Directory.CreateTempSubdirectory("granary-silo-").FullName;
    private readonly ConcurrentQueue<string> _log = new();
    private Process? _process;
    private Task _reading = Task.CompletedTask;

    /// <param name="name">What it is called in the tests' output.</param>
    /// <param name="settings">Environment variables, beside those of its ports and folder.</param>
    public SiloProcess(string name, IEnumerable<KeyValuePair<string, string>> settings)
    {
        Name = name;
        SiloPort = Ports.Free();
        Url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Ports.Free()}"));
        _settings = ImmutableDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, string>
        {
            ["GRANARY_URLS"] = Url.ToString(),
            ["GRANARY_SILO_PORT"] = SiloPort.ToString(CultureInfo.InvariantCulture),
            ["GRANARY_GATEWAY_PORT"] = "0",
            ["GRANARY_ADMIN_URLS"] = "",
            ["GRANARY_CACHE"] = Path.Combine(_folder, "cache"),
        }).SetItems(settings);
    }

    public string Name { get; }

    public int SiloPort { get; }

    public Uri Url { get; }

    /// <summary>The address other silos know it by.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{SiloPort}");

    /// <summary>Its REST API; another one after every start, so that no connection of an earlier life is used.</summary>
    public Rest Rest { get; private set; } = null!;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts the process and waits for its announcement.</summary>
    public async Task StartAsync()
    {
        _process?.Dispose();
        var start = new ProcessStartInfo(
            Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet", [Program])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("GRANARY_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in _settings)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        ProcessGuard.Watch(_process, Program);
        Note("started");
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reading = Task.WhenAll(
            ReadAsync(_process.StandardError, static _ => { }),
            ReadAsync(_process.StandardOutput, line =>
            {
                if (line.StartsWith(Announcement, StringComparison.Ordinal))
                    listening.TrySetResult();
            }));
        if (await Task.WhenAny(listening.Task, _reading).WaitAsync(Until.Hang) != listening.Task)
            throw new InvalidOperationException($"{Name} did not start:\n{Tail(50)}");
        Rest?.Dispose();
        Rest = new Rest(Url);
    }

    /// <summary>Waits until it serves everything that belongs here.</summary>
    public Task<TimeSpan> ReadyAsync() => Until.NothingIsMissingAsync(async () =>
    {
        var (status, text) = await Rest.SendAsync("GET", "/readyz");
        return status == 200 ? null : $"{Name} is not ready: {text}";
    });

    /// <summary>The cluster as it sees it: address, state, and replicas as <c>collection/partition/replica</c> of every member.</summary>
    public async Task<List<(string Address, string State, List<(string Replica, string State, long Applied)> Replicas)>> ClusterAsync()
    {
        var cluster = await Rest.OkAsync("GET", "/cluster");
        return
        [
            .. cluster.GetProperty("members").EnumerateArray().Select(static m => (
                m.GetProperty("address").GetString()!, m.GetProperty("state").GetString()!,
                m.GetProperty("replicas").EnumerateArray().Select(static r => (
                    $"{r.GetProperty("collection").GetString()}/{r.GetProperty("partition")}/{r.GetProperty("replica")}",
                    r.GetProperty("state").GetString()!, r.GetProperty("applied").GetInt64())).ToList())),
        ];
    }

    /// <summary>Asks it to stop (SIGTERM) and waits for its end; returns its exit code.</summary>
    public Task<int> StopAsync() => EndAsync("TERM");

    /// <summary>Ends it as the operating system does when it wants no discussion.</summary>
    public Task KillAsync() => EndAsync("KILL");

    /// <summary>Lets it stand still (SIGSTOP).</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>Lets it go on.</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    /// <summary>The newest lines it has written.</summary>
    public string Tail(int lines) => string.Join('\n', _log.TakeLast(lines));

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
            await KillAsync();
        _process?.Dispose();
        Rest?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<int> EndAsync(string signal)
    {
        var process = _process!;
        await SignalAsync(signal);
        await process.WaitForExitAsync().WaitAsync(Until.Hang);
        await _reading;
        Note($"ended with {process.ExitCode}");
        return process.ExitCode;
    }

    private Task SignalAsync(string signal)
    {
        Note($"SIG{signal}");
        return ProcessGuard.SignalAsync(_process!, signal);
    }

    private void Note(string what) => _log.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} -- {what} --");

    private async Task ReadAsync(StreamReader reader, Action<string> seen)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _log.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {line}");
            seen(line);
            while (_log.Count > 2000)
                _log.TryDequeue(out _);
        }
    }
}
