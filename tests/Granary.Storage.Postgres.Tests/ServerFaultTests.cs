using Granary.Collections.Ports;
using Granary.Index;
using Granary.Tests.Shared;

namespace Granary.Storage.Postgres.Tests;

/// <summary>A server of the class's own is stopped, killed and restarted: what was acknowledged is there once, in order.</summary>
public sealed class ServerFaultTests : IAsyncLifetime
{
    private PostgresServer _server = null!;

    public async Task InitializeAsync() => _server = await PostgresServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("restart")]
    [InlineData("kill")]
    [InlineData("cut")]
    public async Task Appends_go_on_after_the_server_comes_back_and_none_is_lost_or_doubled(string fault)
    {
        await using var bench = Bench.On(await _server.CreateDatabaseAsync());
        var storage = await bench.OpenAsync(new PostgresStorageOptions { RetryFor = TimeSpan.FromMinutes(2) });
        await using var log = await storage.OpenLogAsync(Bench.Key, default);
        var acknowledged = new List<Guid>();
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var first = log.NextOperation;
                LogRecord[] group = [Bench.Record(first, 2000), Bench.Record(first + 1, 50_000)];
                await log.AppendAsync(group, default);
                lock (acknowledged)
                    acknowledged.AddRange(group.Select(r => r.BatchId));
            }
        });
        for (var round = 0; round < 3; round++)
        {
            await GrowAsync(acknowledged, 20, writing);
            if (fault == "cut")
                await bench.CutAsync();
            else if (fault == "restart")
                await _server.RestartAsync();
            else
                await KillAndStartAsync();
        }

        await GrowAsync(acknowledged, 20, writing);
        await stop.CancelAsync();
        await writing;
        Assert.Equal(acknowledged, (await Bench.ReadAsync(log)).Select(r => r.BatchId));
        await using var again = await (await bench.OpenAsync()).OpenLogAsync(Bench.Key, default);
        Assert.Equal(acknowledged.Count + 1, again.NextOperation);
    }

    [Fact]
    public async Task Without_a_server_errors_are_clear_and_everything_goes_on_when_it_is_back()
    {
        var address = await _server.CreateDatabaseAsync();
        await using var bench = Bench.On(address.Replace("granary@", "granary:secret-word@", StringComparison.Ordinal));
        var storage = await bench.OpenAsync(new PostgresStorageOptions { RetryFor = TimeSpan.Zero });
        await using var log = await storage.OpenLogAsync(Bench.Key, default);
        await log.AppendAsync([Bench.Record(1)], default);
        await using var reader = await storage.OpenLogReaderAsync(Bench.Key, default);
        await _server.StopAsync();
        // Its statement was sent to a session that ended: what became of it is asked for once there is somebody to ask.
        var doubt = await Assert.ThrowsAsync<IOException>(async () => await log.AppendAsync([Bench.Record(2)], default));
        Assert.Contains($"postgres://127.0.0.1:{_server.Port}/", doubt.Message);
        Assert.DoesNotContain("secret-word", doubt.ToString());
        foreach (var attempt in (Func<Task>[])[
            async () => await log.AppendAsync([Bench.Record(2)], default), async () => await reader.HeadAsync(default),
            async () => await Bench.ReadAsync(reader), async () => await storage.Catalog.ListAsync("", default),
            async () => await bench.OpenAsync(new PostgresStorageOptions { RetryFor = TimeSpan.Zero })])
        {
            var error = await Assert.ThrowsAsync<GranaryException>(attempt);
            Assert.Equal(ErrorKind.Unavailable, error.Kind);
            Assert.Contains($"postgres://127.0.0.1:{_server.Port}/", error.Message);
            Assert.DoesNotContain("secret-word", error.ToString());
        }

        await _server.StartAgainAsync();
        await log.AppendAsync([Bench.Record(2)], default);
        Assert.Equal(3, await reader.HeadAsync(default));
        Assert.Equal(2, (await Bench.ReadAsync(log)).Count);
    }

    [Fact]
    public async Task A_pause_of_the_server_delays_and_loses_nothing()
    {
        await using var bench = Bench.On(await _server.CreateDatabaseAsync());
        var storage = await bench.OpenAsync();
        await using var log = await storage.OpenLogAsync(Bench.Key, default);
        await log.AppendAsync([Bench.Record(1)], default);
        await _server.PauseAsync();
        var append = log.AppendAsync([Bench.Record(2)], default).AsTask();
        Assert.False(append.IsCompleted);
        await _server.ResumeAsync();
        await append;
        Assert.Equal(2, (await Bench.ReadAsync(log)).Count);
    }

    private async Task KillAndStartAsync()
    {
        await _server.KillAsync();
        await _server.StartAgainAsync();
    }

    /// <summary>Waits until so many more are acknowledged; a failed writer ends the wait with its error.</summary>
    private static async Task GrowAsync(List<Guid> acknowledged, int by, Task writing)
    {
        int Count()
        {
            lock (acknowledged)
                return acknowledged.Count;
        }

        var wanted = Count() + by;
        while (Count() < wanted)
        {
            if (writing.IsCompleted)
                await writing;
            await Task.Yield();
        }
    }
}
