using System.Net;
using Granary.Collections.Embedding;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Microsoft.Extensions.AI;

namespace Granary.Collections.Tests.Embedding;

public sealed class TextEmbedderTests : IDisposable
{
    private readonly StubGenerator _generator = new();
    private readonly ManualTime _time = new();
    private readonly TextEmbedder _embedder;

    public TextEmbedderTests() => _embedder = new TextEmbedder(new DatabaseOptions
    {
        Generators = new Dictionary<string, IEmbeddingGenerator<string, Embedding<float>>> { ["stub"] = _generator },
        DefaultModel = "stub",
        Time = _time,
    });

    public void Dispose() => _embedder.Dispose();

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(HttpStatusCode.OK)]
    public async Task OnlyTheTextsThatAreRefusedAreLeftWithoutAVector(HttpStatusCode status)
    {
        // Three side by side, one alone, in a second call.
        var texts = Enumerable.Range(0, 100).Select(static i => i is 20 or 21 or 22 or 90 ? $"bad {i}" : $"good {i}").ToArray();
        FailOnBad(new HttpRequestException("too long", null, status));
        var results = await _embedder.EmbedEachAsync(null, texts, null, default);
        for (var i = 0; i < texts.Length; i++)
        {
            if (texts[i].StartsWith('b'))
                Assert.Equal((ErrorKind.BadInput, "Embedding 1 text(s) failed: too long"),
                    (results[i].Error!.Kind, results[i].Error!.Message));
            else
                Assert.Equal(StubGenerator.Of(texts[i]), results[i].Vector!);
        }

        Assert.InRange(_generator.Calls, 4, 40);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.NotFound)]
    public async Task AGeneratorThatRefusesEveryTextIsAskedOnce(HttpStatusCode status)
    {
        _generator.Before = _ => throw new HttpRequestException("no", null, status);
        var results = await _embedder.EmbedEachAsync(null, [.. Enumerable.Repeat("x", 200)], null, default);
        Assert.All(results, static r => Assert.Equal(ErrorKind.Unavailable, r.Error!.Kind));
        Assert.Equal(1, _generator.Calls);
    }

    [Fact]
    public async Task AGeneratorThatIsDownIsTriedThreeTimesForAllTextsTogether()
    {
        _generator.Before = _ => throw new HttpRequestException("down", null, HttpStatusCode.ServiceUnavailable);
        var results = await PassTimeAsync(_embedder.EmbedEachAsync(null, [.. Enumerable.Repeat("x", 200)], null, default).AsTask());
        Assert.All(results, static r => Assert.Equal("Embedding 64 text(s) failed 3 times: down", r.Error!.Message));
        Assert.Equal(3, _generator.Calls);
    }

    [Fact]
    public async Task FailuresWithoutAReasonAreIsolatedAsLongAsSomeTextSucceeds()
    {
        string[] texts = ["good 0", "bad 1", "bad 2", "bad 3", "bad 4", "bad 5", "bad 6", "good 7"];
        FailOnBad(new InvalidOperationException("why?"));
        var results = await PassTimeAsync(_embedder.EmbedEachAsync(null, texts, null, default).AsTask());
        Assert.Equal(texts.Select(static t => t.StartsWith('b')), results.Select(static r => r.Error is not null));
        Assert.Equal(StubGenerator.Of("good 7"), results[7].Vector!);

        var before = _generator.Calls;
        results = await PassTimeAsync(_embedder.EmbedEachAsync(null, [.. Enumerable.Repeat("bad", 200)], null, default).AsTask());
        Assert.All(results, static r => Assert.NotNull(r.Error));
        Assert.Equal(ErrorKind.Unavailable, results[^1].Error!.Kind);
        Assert.InRange(_generator.Calls - before, 3, 40);
    }

    [Fact]
    public async Task ACallThatEndsInAnErrorBecauseItWasCancelledIsCancelled()
    {
        using var stop = new CancellationTokenSource();
        _generator.Before = async _ =>
        {
            await stop.CancelAsync();
            throw new HttpRequestException("the connection was aborted");
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _embedder.EmbedEachAsync(null, ["x"], null, stop.Token).AsTask());
    }

    [Fact]
    public async Task AModelIsDescribedByAVectorItMakesOnceAndOnlyIfThereIsOne()
    {
        Assert.Equal(new EmbedderInfo("stub", 8), await _embedder.DescribeAsync(null, default));
        Assert.Equal(new EmbedderInfo("stub", 8), await _embedder.DescribeAsync("stub", default));
        Assert.Equal(1, _generator.Calls);
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await _embedder.DescribeAsync("other", default));
        Assert.Equal("Unknown embedding model 'other' (known are stub)", error.Message);
    }

    private void FailOnBad(Exception failure) =>
        _generator.Before = texts => texts.Any(static t => t.StartsWith('b')) ? throw failure : Task.CompletedTask;

    /// <summary>Backoff passes by the clock only.</summary>
    private async Task<T> PassTimeAsync<T>(Task<T> work)
    {
        while (!work.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        return await work;
    }
}
