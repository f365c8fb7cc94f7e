using System.Diagnostics;
using Granary.Standalone.Tests.Crash;

namespace Granary.Benchmarks;

/// <summary>Kills the real server under load, restarts it and compares, so many rounds over (<c>crash --rounds 200</c>).</summary>
internal static class CrashBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var count = arguments.Number("rounds", 200);
        var seed = arguments.Number("seed", 1);
        var folder = Directory.CreateTempSubdirectory("granary-crash-").FullName;
        var started = Stopwatch.GetTimestamp();
        var failedStarts = 0;
        var rounds = new CrashRounds(folder, seed);
        try
        {
            await rounds.RunAsync(count, round =>
            {
                if (round % 20 == 0)
                    Console.WriteLine($"{round} rounds, {rounds.Acknowledged} acknowledged calls, {rounds.Violations.Count} violations");
            });
        }
        catch (InvalidOperationException e)
        {
            failedStarts++;
            Console.WriteLine($"The server did not start: {e.Message}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (var violation in rounds.Violations)
            Console.WriteLine(violation);
        Console.WriteLine($"{count} rounds (seed {seed}) in {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s: {rounds.Acknowledged} "
            + "acknowledged calls, "
            + $"{rounds.Violations.Count} lost or invented, {failedStarts} failed starts");
        return rounds.Violations.Count == 0 && failedStarts == 0 ? 0 : 1;
    }
}
