using System.Diagnostics;
using Granary.Standalone.Hosting;
using Granary.Standalone.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Standalone.Tests.Hosting;

public sealed class RequestTraceTests
{
    [Fact]
    public async Task A_request_has_an_activity_for_those_who_listen_alone()
    {
        var settings = ServerSettings.From(new SettingValues(static _ => null, new ConfigurationBuilder().Build()));
        await using var app = RestHost.Begin(settings, ["http://127.0.0.1:0"], settings.StopTimeout).Build();
        app.Run(static http => http.Response.WriteAsync(Activity.Current?.OperationName ?? "none"));
        await app.StartAsync();
        using var client = new HttpClient
        {
            BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()),
        };
        Assert.Equal("none", await client.GetStringAsync("/"));
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Microsoft.AspNetCore",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        Assert.Equal("Microsoft.AspNetCore.Hosting.HttpRequestIn", await client.GetStringAsync("/"));
    }
}
