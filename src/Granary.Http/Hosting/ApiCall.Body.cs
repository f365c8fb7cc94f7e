using System.Buffers;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Unicode;
using Granary.Http.Json;

namespace Granary.Http.Hosting;

internal sealed partial class ApiCall
{
    // A length that is only announced takes no more memory than this: the rest is taken as the bytes come.
    private const long MostAnnounced = 1 << 20;

    /// <summary>The request's body, decompressed, valid UTF-8, in a pooled buffer.</summary>
    public async ValueTask<RequestBody> ReadBodyAsync()
    {
        var limit = State.Options.MaxRequestBytes;
        var request = Http.Request;
        if (request.ContentLength > limit)
            throw TooLarge(request.ContentLength.Value, limit);
        var body = new RequestBody((int)Math.Min(request.ContentLength ?? 4096, MostAnnounced));
        try
        {
            await body.FillAsync(request.BodyReader, limit, Cancellation);
            string? encoding = request.Headers.ContentEncoding;
            if (encoding is not (null or "" or "identity"))
            {
                using var sent = body;
                body = new RequestBody((int)Math.Min(limit, 4L * sent.Bytes.Length));
                await body.FillAsync(Decompressed(sent, encoding), limit, Cancellation);
            }

            if (!Utf8.IsValid(body.Bytes.Span))
                throw ApiException.Format("invalid unicode code point");
            return body;
        }
        catch (InvalidDataException e)
        {
            body.Dispose();
            throw ApiException.Format(e.Message);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>The request's body as a document, for what is not a hot path. An empty body is an error.</summary>
    public async ValueTask<JsonElement> ReadJsonAsync()
    {
        using var body = await ReadBodyAsync();
        var cursor = new JsonCursor(body.Bytes.Span);
        var element = cursor.ReadElement();
        cursor.End();
        return element;
    }

    private static Stream Decompressed(RequestBody sent, string encoding)
    {
        var bytes = sent.AsStream();
        return encoding switch
        {
            "gzip" => new GZipStream(bytes, CompressionMode.Decompress),
            "deflate" => new ZLibStream(bytes, CompressionMode.Decompress),
            "br" => new BrotliStream(bytes, CompressionMode.Decompress),
            _ => throw new ApiException(415, $"Content-Encoding `{encoding}` is not supported; gzip, deflate and br are"),
        };
    }

    internal static ApiException TooLarge(long length, long limit) =>
        new(413, $"JSON payload ({length} bytes) is larger than allowed (limit: {limit} bytes).");
}

/// <summary>A request's body.</summary>
internal sealed class RequestBody(int sizeHint) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, 16));
    private int _length;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>The bytes, to be read as a stream.</summary>
    public MemoryStream AsStream() => new(_buffer, 0, _length, writable: false);

    /// <summary>Takes all that the reader gives.</summary>
    public async ValueTask FillAsync(System.IO.Pipelines.PipeReader reader, long limit, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            try
            {
                foreach (var segment in read.Buffer)
                {
                    Reserve(segment.Length, limit);
                    segment.CopyTo(_buffer.AsMemory(_length));
                    _length += segment.Length;
                }
            }
            finally
            {
                // A refused body too: what is left of it can be read past only when this is given back.
                reader.AdvanceTo(read.Buffer.End);
            }

            if (read.IsCompleted)
                return;
        }
    }

    /// <summary>Takes all that the stream gives.</summary>
    public async ValueTask FillAsync(Stream stream, long limit, CancellationToken cancellation)
    {
        await using var _ = stream;
        while (true)
        {
            Reserve(1, limit);
            int read;
            try
            {
                read = await stream.ReadAsync(_buffer.AsMemory(_length), cancellation);
            }
            catch (InvalidOperationException e)
            {
                // What Brotli's stream throws for bytes that are not its own.
                throw new InvalidDataException(e.Message, e);
            }

            if (read == 0)
                return;
            _length += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Reserve(int count, long limit)
    {
        if (_length + (long)count > limit + 1 || _length > limit)
            throw ApiCall.TooLarge(_length + (long)count, limit);
        if (_buffer.Length - _length >= count)
            return;
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(Math.Min(2L * _buffer.Length, Array.MaxLength), _length + count));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
