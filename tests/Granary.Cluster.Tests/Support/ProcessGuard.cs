using System.Diagnostics;
using System.Globalization;

namespace Granary.Cluster.Tests.Support;

/// <summary>Ends the processes it was told of when this one ends, however it ends.</summary>
internal static class ProcessGuard
{
    // Its input ends with this process. A number may belong to somebody else by then, whose program is another.
    private const string Script = """
        while read -r pid; do pids="$pids $pid"; done
        for pid in $pids; do
          if [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$0"; then kill -KILL "$pid"; fi
        done
        """;

    private static readonly Lock Gate = new();
    private static Process? _guard;

    /// <summary>Watches over a process whose command line names a file.</summary>
    public static void Watch(Process process, string file)
    {
        lock (Gate)
        {
            _guard ??= Process.Start(new ProcessStartInfo("sh", ["-c", Script, file]) { RedirectStandardInput = true })!;
            _guard.StandardInput.WriteLine(process.Id.ToString(CultureInfo.InvariantCulture));
            _guard.StandardInput.Flush();
        }
    }

    /// <summary>Sends a signal.</summary>
    public static async Task SignalAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
