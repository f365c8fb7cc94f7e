using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>The real server in a process of its own, on a free port, with its storage in a folder.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string Announcement = "Granary is listening on ";
    private readonly Process _process;

    private ServerProcess(Process process, Uri address)
    {
        _process = process;
        Client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(10) };
    }

    public HttpClient Client { get; }

    /// <summary>Time since the process began, until now.</summary>
    public TimeSpan Age => DateTime.Now - _process.StartTime;

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident bytes of the process now: anonymous memory and files mapped and touched.</summary>
    public long ResidentBytes => ReadStatus("VmRSS:");

    /// <summary>Resident bytes that are not backed by files.</summary>
    public long AnonymousBytes => ReadStatus("RssAnon:");

    /// <summary>Pages that had to be read from a disk so far.</summary>
    public long MajorFaults
    {
        get
        {
            // The name, in parentheses, may hold spaces; the number is the tenth after it.
            var stat = File.ReadAllText($"/proc/{_process.Id}/stat");
            return long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[9], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Whether it ended, as one does that the system ends for want of memory.</summary>
    public bool HasEnded => _process.HasExited;

    public static async Task<ServerProcess> StartAsync(string storage, params string[] more)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "granary.dll"), "--urls", "http://127.0.0.1:0",
            "--storage", storage, .. more])
            start.ArgumentList.Add(argument);
        return await ListenAsync(start);
    }

    /// <summary>Starts it within a limit of memory, or without one.</summary>
    public static async Task<ServerProcess> StartAsync(MemoryLimit? limit, string storage, params string[] more)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "granary.dll"), "--urls", "http://127.0.0.1:0",
            "--storage", storage, .. more])
            start.ArgumentList.Add(argument);
        return await ListenAsync(limit is null ? start : limit.Wrap(start));
    }

    /// <summary>Starts any program that announces its address as the server does.</summary>
    public static async Task<ServerProcess> ListenAsync(ProcessStartInfo start)
    {
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var at = line.IndexOf(Announcement, StringComparison.Ordinal);
            if (at < 0)
                continue;
            _ = process.StandardOutput.ReadToEndAsync();
            return new ServerProcess(process, new Uri(line[(at + Announcement.Length)..].Trim()));
        }

        throw new InvalidOperationException($"The server ended with code {process.ExitCode} before it listened.");
    }

    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = JsonContent.Create(body);
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {text}");
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("result");
    }

    /// <summary>Ends the process at once, as kill -9 does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks the process to end and waits until it has drained its queue.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private long ReadStatus(string key)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}
