using System.Diagnostics.Metrics;
using System.Text;
using System.Text.RegularExpressions;
using Granary.Collections;
using Granary.Collections.Diagnostics;
using Granary.Http;
using Granary.Storage.Memory;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Deployment.Tests;

/// <summary>
/// The metrics this version gives away: those of <c>/metrics</c>, asked of a server, and those of the meter, as Prometheus names them.
/// </summary>
public sealed partial class EmittedMetrics : IAsyncLifetime
{
    /// <summary>Names in <c>/metrics</c>.</summary>
    public IReadOnlySet<string> Scraped { get; private set; } = new HashSet<string>();

    /// <summary>Names of the meter's instruments.</summary>
    public IReadOnlyList<string> Instruments { get; } = ReadInstruments(static i => [i.Name]);

    /// <summary>The instruments as Prometheus names what an OpenTelemetry collector hands on.</summary>
    public IReadOnlyList<string> Exported { get; } = ReadInstruments(PrometheusNames);

    /// <summary>Labels in <c>/metrics</c>, and those that Prometheus adds.</summary>
    public IReadOnlySet<string> Labels { get; private set; } = new HashSet<string>();

    public async Task InitializeAsync()
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
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        await SendAsync(client, HttpMethod.Put, "/collections/metrics", """{"vectors":{"size":2,"distance":"Dot"}}""");
        await SendAsync(client, HttpMethod.Put, "/collections/metrics/points?wait=true", """{"points":[{"id":1,"vector":[1,0]}]}""");
        await SendAsync(client, HttpMethod.Post, "/collections/metrics/points/query", """{"query":[1,0]}""");
        var text = await client.GetStringAsync("/metrics");
        Scraped = Type().Matches(text).Select(static m => m.Groups[1].Value).ToHashSet();
        Labels = Label().Matches(text).Select(static m => m.Groups[1].Value).Concat(["job", "instance", "le"]).ToHashSet();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var response = await client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static List<string> ReadInstruments(Func<Instrument, IEnumerable<string>> names)
    {
        var found = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (ReferenceEquals(instrument.Meter, Telemetry.Meter))
                    found.AddRange(names(instrument));
            },
        };
        listener.Start();
        return found;
    }

    /// <summary>OpenTelemetry's rules: dots become underscores, the unit a suffix unless it is in braces, counters end in _total.</summary>
    private static string[] PrometheusNames(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "ms" => "_milliseconds",
            "s" => "_seconds",
            "By" => "_bytes",
            null or "" or ['{', .., '}'] => "",
            var other => throw new InvalidOperationException($"{instrument.Name}: which suffix has the unit {other}?"),
        };
        var name = instrument.Name.Replace('.', '_') + unit;
        return instrument switch
        {
            Histogram<double> or Histogram<long> => [$"{name}_bucket", $"{name}_sum", $"{name}_count"],
            Counter<long> or ObservableCounter<long> => [$"{name}_total"],
            _ => [name],
        };
    }

    [GeneratedRegex(@"^# TYPE (\w+) ", RegexOptions.Multiline)]
    private static partial Regex Type();

    [GeneratedRegex(@"[{,](\w+)=""")]
    private static partial Regex Label();
}
