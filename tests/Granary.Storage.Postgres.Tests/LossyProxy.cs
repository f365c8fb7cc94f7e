using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Granary.Storage.Postgres.Tests;

/// <summary>Stands between a storage and its server, and loses the answer to the next commit when asked to.</summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    /// <summary>
    /// As a whole statement (a transaction begins with READ COMMITTED), or one that commits by itself, which is answered once it has.
    /// </summary>
    private static readonly byte[][] Commits = [Encoding.ASCII.GetBytes("COMMIT\0"), Encoding.ASCII.GetBytes("INSERT INTO granary.log_")];
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _server;
    private readonly Task _running;
    private volatile bool _loseNext;
    private volatile bool _thenRefuse;
    private volatile bool _refusing;

    public LossyProxy(string address)
    {
        _server = new Uri(address);
        _listener.Start();
        Address = new UriBuilder(_server) { Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri.OriginalString;
        _running = AcceptAsync();
    }

    /// <summary>The database's address by way of the proxy.</summary>
    public string Address { get; }

    /// <summary>How many answers were lost.</summary>
    public int Lost { get; private set; }

    /// <summary>The next commit reaches the server and is carried out; its answer does not come back.</summary>
    /// <param name="thenRefuse">Whether nobody gets through afterwards, until <see cref="LetThrough"/>.</param>
    public void LoseNextCommit(bool thenRefuse = false)
    {
        _thenRefuse = thenRefuse;
        _loseNext = true;
    }

    public void LetThrough() => _refusing = false;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _running;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
                sessions.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        if (_refusing)
            return;
        try
        {
            await far.ConnectAsync(_server.Host, _server.Port, _stop.Token);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var losing = new bool[1];
            var there = PumpAsync(near.GetStream(), far.GetStream(), bytes => Watch(bytes, losing), ended.Token);
            var back = PumpAsync(far.GetStream(), near.GetStream(), _ => !Volatile.Read(ref losing[0]), ended.Token);
            await Task.WhenAny(there, back);
            if (Volatile.Read(ref losing[0]))
            {
                // The answer is there, so the commit is done.
                await back;
                _refusing = _thenRefuse;
                Lost++;
            }

            await ended.CancelAsync();
            near.Close();
            far.Close();
            await Task.WhenAll(there, back);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    private bool Watch(ReadOnlyMemory<byte> bytes, bool[] losing)
    {
        if (_loseNext && Array.Exists(Commits, c => bytes.Span.IndexOf(c) >= 0))
        {
            _loseNext = false;
            Volatile.Write(ref losing[0], true);
        }

        return true;
    }

    /// <summary>Carries bytes over until an end closes or <paramref name="pass"/> refuses some.</summary>
    private static async Task PumpAsync(Stream from, Stream to, Func<ReadOnlyMemory<byte>, bool> pass, CancellationToken stop)
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (await from.ReadAsync(buffer, stop) is > 0 and var read && pass(buffer.AsMemory(0, read)))
                await to.WriteAsync(buffer.AsMemory(0, read), stop);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }
}
