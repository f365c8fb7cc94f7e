using System.Diagnostics;
using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>
/// The importer's own peak working set at 100,000 and at 1,000,000 lines, against a running server; <c>--embed</c> says who computes the
/// vectors, with the built-in embedder: client (the importer itself), server or none.
/// </summary>
internal static class ImportBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        var embed = arguments.Text("embed", "client");
        try
        {
            foreach (var lines in new[] { arguments.Number("small", 100_000), arguments.Number("large", 1_000_000) })
            {
                var input = Path.Combine(folder.FullName, "input.jsonl");
                await using (var writer = File.CreateText(input))
                {
                    for (var i = 0; i < lines; i++)
                        await writer.WriteLineAsync($$"""{"id": {{i}}, "text": "line {{i}} of a made up file about {{i % 977}} and """
                            + $$"""{{i % 31}}", "group": {{i % 100}}}""");
                }

                await using var server = await ServerProcess.StartAsync("mem:");
                var watch = Stopwatch.StartNew();
                var peak = await ImportAsync(server.Client.BaseAddress!, input, embed);
                Console.WriteLine($"{lines} lines, --embed {embed}: importer's peak working set {peak >> 10} KiB, "
                    + $"{lines / watch.Elapsed.TotalSeconds:F0} lines/s");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    private static async Task<long> ImportAsync(Uri server, string input, string embed)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "granary.dll"), "import", input, "--collection", "lines",
            "--url", server.ToString().TrimEnd('/'), "--embed", embed])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var peak = 0L;
        while (!process.HasExited)
        {
            // The kernel keeps the peak itself (VmHWM); the last reading before the end is the one that counts.
            peak = Math.Max(peak, ReadPeak(process.Id));
            using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            await process.WaitForExitAsync(limit.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        Console.WriteLine(await output);
        return process.ExitCode == 0 ? peak : throw new InvalidOperationException($"The importer ended with code {process.ExitCode}.");
    }

    private static long ReadPeak(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[6..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)
                * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
