using System.Runtime.InteropServices;

namespace Granary.Benchmarks;

/// <summary>Says what the figures were measured on.</summary>
internal static class Machine
{
    /// <summary>What else the machine does: its load over the last minute.</summary>
    public static string Load => File.Exists("/proc/loadavg")
        ? $"load {File.ReadAllText("/proc/loadavg").Split(' ')[0]} on {Environment.ProcessorCount} cores" : "load unknown";

    public static string Describe()
    {
        var model = "unknown processor";
        if (File.Exists("/proc/cpuinfo"))
        {
            model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1]
                .Trim()
                ?? model;
        }

        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        return $"machine: {model}, {Environment.ProcessorCount} cores, {memory} GiB, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}";
    }
}
