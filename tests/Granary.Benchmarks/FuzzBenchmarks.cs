using Granary.Collections;
using Granary.Fuzzing;
using Granary.Http;
using Granary.Storage.Memory;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Benchmarks;

/// <summary>
/// Sends mutated requests to a server of its own: <c>--count 100000 --seed 1</c>. Exits 1 when one was answered 5xx or changed something it
/// should not.
/// </summary>
internal static class FuzzBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        await using var database = await Database.OpenAsync(new MemoryStorage(), new DatabaseOptions(), CancellationToken.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IDatabase>(database);
        builder.Services.AddGranaryHttp(new GranaryHttpOptions());
        await using var app = builder.Build();
        app.MapGranary();
        await app.StartAsync();
        using var client = new HttpClient
        {
            BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()),
        };

        var count = arguments.Number("count", 100_000);
        var report = await new RequestFuzzer(client, arguments.Number("seed", 1)).RunAsync(count);
        foreach (var failure in report.Failures.Take(20))
            Console.WriteLine(failure);
        Console.WriteLine(report);
        Console.WriteLine(
            $"parse as JSON: {(double)report.ParsedAsJson / count:P1} (bar 50 %), accepted: {(double)report.Accepted / count:P1} (bar 20 "
                + "%)");
        await app.StopAsync();
        return report.Failures.Count == 0 && report.ParsedAsJson >= count / 2 && report.Accepted >= count / 5 ? 0 : 1;
    }
}
