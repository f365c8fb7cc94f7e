using System.Runtime.InteropServices;

namespace Granary.Benchmarks;

/// <summary>Says what the figures were measured on.</summary>
internal static class Machine
{
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
