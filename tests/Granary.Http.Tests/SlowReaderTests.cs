using System.IO.Compression;
using System.IO.Pipelines;
using Granary.Http.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Granary.Http.Tests;

public sealed class SlowReaderTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_caller_who_reads_slowly_holds_up_no_thread(bool compressed)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 4096, resumeWriterThreshold: 2048, useSynchronizationContext: false));
        var http = new DefaultHttpContext();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(pipe.Writer.AsStream()));
        if (compressed)
            http.Request.Headers.AcceptEncoding = "gzip";
        var random = new Random(1);
        var text = string.Concat(Enumerable.Range(0, 50_000).Select(_ => random.Next(16).ToString("x", null)));

        // Were it written synchronously, this call would not come back before someone read.
        var answering = new ApiCall(http, null!, new ApiState(new GranaryHttpOptions())).JsonAsync(text);
        Assert.False(answering.IsCompleted);

        var ended = answering.ContinueWith(_ => pipe.Writer.Complete(), TaskScheduler.Default);
        await using var body = pipe.Reader.AsStream();
        await using var plain = compressed ? new GZipStream(body, CompressionMode.Decompress) : body;
        using var reader = new StreamReader(plain);
        Assert.Equal(text, await reader.ReadToEndAsync());
        await answering;
        await ended;
    }
}
