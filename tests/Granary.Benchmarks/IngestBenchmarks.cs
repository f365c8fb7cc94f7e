namespace Granary.Benchmarks;

/// <summary>Acknowledgement, feed and linking figures in process.</summary>
internal static class IngestBenchmarks
{
    public static Task<int> RunAsync(Arguments arguments)
    {
        Console.Error.WriteLine($"ingest: not there yet ({arguments.Text("part", "all")})");
        return Task.FromResult(2);
    }
}
