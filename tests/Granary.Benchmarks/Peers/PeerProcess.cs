using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Granary.Benchmarks;

/// <summary>A driver of tests/peers (or this program as Granary's own), spoken to as tests/peers/README.md says.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    private PeerProcess(string name, Process process, JsonElement greeting)
    {
        Name = name;
        _process = process;
        Version = greeting.TryGetProperty("version", out var version) ? version.GetString()! : "";
        Settings = greeting.TryGetProperty("settings", out var settings) ? settings.GetString()! : "";
    }

    /// <summary>The name the harness knows it by.</summary>
    public string Name { get; }

    public string Version { get; }

    public string Settings { get; }

    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts a driver; null when it cannot run here, with the reason on the console.</summary>
    public static async Task<PeerProcess?> StartAsync(string name)
    {
        if (PeerCommands.Find(name) is not { } start)
            return null;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        try
        {
            var process = Process.Start(start)!;
            var line = await process.StandardOutput.ReadLineAsync();
            if (line is not null)
                return new PeerProcess(name, process, JsonSerializer.Deserialize<JsonElement>(line));
            await process.WaitForExitAsync();
            Console.WriteLine($"{name} is left out: its driver ended with code {process.ExitCode}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Console.WriteLine($"{name} is left out: {start.FileName}: {e.Message}");
        }

        return null;
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    public async Task<JsonElement> AskAsync(JsonObject request)
    {
        await _process.StandardInput.WriteLineAsync(request.ToJsonString());
        await _process.StandardInput.FlushAsync();
        var line = await _process.StandardOutput.ReadLineAsync()
            ?? throw new PeerException($"{Name}: the driver ended during {request["op"]}");
        var answer = JsonSerializer.Deserialize<JsonElement>(line);
        return answer.TryGetProperty("error", out var error) ? throw new PeerException($"{Name}: {error.GetString()}") : answer;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            try
            {
                _process.StandardInput.WriteLine("""{"op":"quit"}""");
                _process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended by itself.
            }

            if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}

/// <summary>What a driver answered in place of a result.</summary>
internal sealed class PeerException(string message) : Exception(message);
