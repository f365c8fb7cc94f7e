using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Standalone.Tests.Embeddings;

/// <summary>
/// An endpoint that speaks OpenAI's embeddings on a free port: every vector is [length of the text, its place in the request].
/// </summary>
internal sealed class OpenAiStub : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OpenAiStub(WebApplication app, Uri baseUrl) => (_app, BaseUrl) = (app, baseUrl);

    public Uri BaseUrl { get; }

    /// <summary>Bodies received, in order.</summary>
    public List<JsonElement> Requests { get; } = [];

    public string? Authorization { get; private set; }

    /// <summary>Answers instead of the usual, when set.</summary>
    public Func<HttpContext, Task>? Override { get; set; }

    /// <summary>A word that makes any request it stands in a bad one (400), when set.</summary>
    public string? Refused { get; set; }

    public static async Task<OpenAiStub> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRouting();
        var app = builder.Build();
        OpenAiStub? stub = null;
        app.MapPost("/v1/embeddings", (RequestDelegate)(context => stub!.AnswerAsync(context)));
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return stub = new OpenAiStub(app, new Uri($"{address}/v1"));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var document = await JsonDocument.ParseAsync(context.Request.Body);
        lock (Requests)
            Requests.Add(document.RootElement.Clone());
        Authorization = context.Request.Headers.Authorization;
        if (Override is { } answer)
        {
            await answer(context);
            return;
        }

        var texts = document.RootElement.GetProperty("input").EnumerateArray().Select(static text => text.GetString()!);
        if (Refused is { } word && texts.Any(text => text.Contains(word, StringComparison.Ordinal)))
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("""{"error":{"message":"an input is too long"}}""");
            return;
        }

        // Backwards, since only the index says which text a vector belongs to.
        var data = document.RootElement.GetProperty("input").EnumerateArray()
            .Select((text, index) => $$"""{"object":"embedding","index":{{index}},"embedding":[{{text.GetString()!.Length}},{{index}}]}""")
                .Reverse();
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"object":"list","data":[{{string.Join(',', data)}}],"model":"m"}""");
    }
}
