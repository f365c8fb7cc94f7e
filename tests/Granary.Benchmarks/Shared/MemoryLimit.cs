using System.Diagnostics;
using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>A limit on the memory of a process, page cache included: a control group of Linux, version 1 or 2.</summary>
internal sealed class MemoryLimit : IDisposable
{
    private const string Root = "/sys/fs/cgroup";

    /// <summary>The most of the limit that the managed heap may take.</summary>
    public const int HeapPercent = 30;

    private readonly string _folder;
    private readonly bool _second;

    private MemoryLimit(string folder, bool second, long bytes) => (_folder, _second, Bytes) = (folder, second, bytes);

    public long Bytes { get; }

    /// <summary>The most memory that was counted, page cache included; 0 where the system does not say.</summary>
    public long Peak => Read(_second ? "memory.peak" : "memory.max_usage_in_bytes");

    /// <summary>How often the limit was met and something had to go.</summary>
    public long Met => _second ? Event("max") : Read("memory.failcnt");

    /// <summary>A limit; null, and the reason, where none can be set.</summary>
    public static MemoryLimit? TryCreate(long bytes, out string reason)
    {
        var second = File.Exists($"{Root}/cgroup.controllers");
        var name = string.Create(CultureInfo.InvariantCulture, $"granary-bench-{Environment.ProcessId}-{Environment.TickCount64}");
        var folder = second ? $"{Root}/{name}" : $"{Root}/memory/{name}";
        reason = "";
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, second ? "memory.max" : "memory.limit_in_bytes"),
                bytes.ToString(CultureInfo.InvariantCulture));
            if (second)
                File.WriteAllText(Path.Combine(folder, "memory.swap.max"), "0");
            return new MemoryLimit(folder, second, bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = e.Message;
            if (Directory.Exists(folder))
                Directory.Delete(folder);
            return null;
        }
    }

    /// <summary>The same program, begun inside the limit.</summary>
    public ProcessStartInfo Wrap(ProcessStartInfo start)
    {
        // The shell joins the group and becomes the program, whose process id it has.
        var wrapped = new ProcessStartInfo("sh") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])["-c", $"echo $$ > {_folder}/cgroup.procs && exec \"$@\"", "sh", start.FileName,
            .. start.ArgumentList])
            wrapped.ArgumentList.Add(argument);

        // Vectors and graphs are outside of the managed heap, which would take three quarters if it were let.
        wrapped.Environment["DOTNET_GCHeapHardLimitPercent"] = HeapPercent.ToString("X", CultureInfo.InvariantCulture);
        return wrapped;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(_folder);
        }
        catch (IOException)
        {
            // A process that is ending is still in it; it goes when the machine restarts.
        }
    }

    private long Event(string name)
    {
        var path = Path.Combine(_folder, "memory.events");
        var line = File.Exists(path) ? File.ReadLines(path).FirstOrDefault(l => l.StartsWith(name + " ", StringComparison.Ordinal)) : null;
        return line is null ? 0 : long.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
    }

    private long Read(string file)
    {
        var path = Path.Combine(_folder, file);
        return File.Exists(path) ? long.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture) : 0;
    }
}
