using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Granary.Benchmarks;

/// <summary>
/// One keep-alive connection that costs its client as little as .NET lets it: blocking calls on a thread of its own, requests made
/// beforehand, answers looked at no further than their status and length.
/// </summary>
internal sealed class WireConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[64 * 1024];

    public WireConnection(int port) => _socket.Connect(IPAddress.Loopback, port);

    /// <summary>The whole of a request.</summary>
    public static byte[] Request(string method, string path, ReadOnlySpan<byte> body = default, string headers = "") =>
    [
        .. Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
            + (body.IsEmpty ? "\r\n" : $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n")),
        .. body,
    ];

    /// <summary>Sends a request and reads its answer, which must be a success.</summary>
    /// <returns>The answer as it came, valid until the next call.</returns>
    public ReadOnlySpan<byte> Send(byte[] request)
    {
        _socket.Send(request);
        var length = 0;
        var whole = int.MaxValue;
        while (length < whole)
        {
            if (length == _buffer.Length)
                Array.Resize(ref _buffer, _buffer.Length * 2);
            var read = _socket.Receive(_buffer.AsSpan(length));
            if (read == 0)
                throw new InvalidOperationException("The server closed the connection.");
            length += read;
            if (whole == int.MaxValue)
                whole = Whole(_buffer.AsSpan(0, length));
        }

        var answer = _buffer.AsSpan(0, length);
        return answer[9] == '2' ? answer
            : throw new InvalidOperationException($"The server refused: {Encoding.UTF8.GetString(answer)}");
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>How long the answer is that begins here, once that can be said.</summary>
    private static int Whole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return int.MaxValue;
        var at = answer[..head].IndexOf("\r\nContent-Length: "u8);
        if (at < 0)
            return answer.EndsWith("\r\n0\r\n\r\n"u8) ? answer.Length : int.MaxValue;
        return Utf8Parser.TryParse(answer[(at + 18)..], out int length, out _) ? head + 4 + length
            : throw new InvalidOperationException("The answer's length cannot be read.");
    }
}
