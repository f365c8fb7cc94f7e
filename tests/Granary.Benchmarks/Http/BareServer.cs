using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Granary.Benchmarks;

/// <summary>
/// What a request costs before there is anything to do: a server that takes any body and answers so many bytes. <c>sockets</c> is a thread
/// with blocking calls for each connection, the least that .NET can do; <c>kestrel</c> is Kestrel as it comes, without routing or anything
/// else.
/// </summary>
internal static class BareServer
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var answer = new byte[arguments.Number("answer", 1000)];
        Array.Fill(answer, (byte)' ');
        if (arguments.Text("kind", "kestrel") == "sockets")
            Listen(answer);
        else
            await ServeAsync(answer);
        return 0;
    }

    private static void Announce(string address) => Console.WriteLine($"Granary is listening on {address}");

    private static async Task ServeAsync(byte[] answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel(static kestrel => kestrel.AddServerHeader = false).UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.Run(async http =>
        {
            while (true)
            {
                var read = await http.Request.BodyReader.ReadAsync();
                http.Request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    break;
            }

            http.Response.ContentType = "application/json";
            http.Response.ContentLength = answer.Length;
            await http.Response.BodyWriter.WriteAsync(answer);
        });
        await app.StartAsync();
        Announce(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        await app.WaitForShutdownAsync();
    }

    private static void Listen(byte[] answer)
    {
        byte[] whole = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {answer.Length}\r\n\r\n"), .. answer];
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Announce(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}"));
        while (true)
        {
            var socket = listener.Accept();
            socket.NoDelay = true;
            new Thread(() => Answer(socket, whole)) { IsBackground = true }.Start();
        }
    }

    private static void Answer(Socket socket, byte[] answer)
    {
        var buffer = new byte[64 * 1024];
        var length = 0;
        while (true)
        {
            var read = socket.Receive(buffer.AsSpan(length));
            if (read == 0)
                break;
            length += read;
            var text = buffer.AsSpan(0, length);
            var head = text.IndexOf("\r\n\r\n"u8);
            if (head < 0)
                continue;
            var at = text[..head].IndexOf("\r\nContent-Length: "u8);
            var body = 0;
            if (at >= 0 && !System.Buffers.Text.Utf8Parser.TryParse(text[(at + 18)..], out body, out _))
                break;
            if (length < head + 4 + body)
                continue;
            length = 0;
            socket.Send(answer);
        }

        socket.Dispose();
    }
}
