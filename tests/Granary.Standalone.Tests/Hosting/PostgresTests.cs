using Granary.Client;
using Granary.Index;
using Granary.Tests.Shared;

namespace Granary.Standalone.Tests.Hosting;

/// <summary>The executable on a PostgreSQL server of the test's own.</summary>
public sealed class PostgresTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private PostgresServer _postgres = null!;
    private string _storage = "";

    public async Task InitializeAsync()
    {
        _postgres = await PostgresServer.StartAsync();
        _storage = $"{await _postgres.CreateDatabaseAsync()}?cache={Uri.EscapeDataString(_folder.Path)}";
    }

    public async Task DisposeAsync() => await _postgres.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_keeps_what_it_had_after_SIGTERM_and_after_kill_9()
    {
        Assert.Contains("granary migrate", await RefusedAsync(_storage + "&migrate=false"));
        var first = await ServerProcess.RunAsync("migrate", "--storage", _storage);
        Assert.Equal((0, ""), (first.ExitCode, first.Errors));
        Assert.StartsWith("Applied 0001_granary.sql", first.Output);
        Assert.StartsWith("Nothing to apply", (await ServerProcess.RunAsync("migrate", "--storage", _storage)).Output);
        using (var server = await ServerProcess.StartAsync(_storage + "&migrate=false"))
        {
            await using var client = new GranaryHttpClient(server.Address);
            await CreateAsync(client);
            await client.UpsertAsync("c", [new Point(new PointId(1), [1f, 2f])]);
            Assert.Equal(0, await server.StopAsync());
        }

        using (var server = await ServerProcess.StartAsync(_storage))
        {
            await using var client = new GranaryHttpClient(server.Address);
            Assert.Equal(1, await client.CountAsync("c"));
            for (ulong id = 2; id <= 50; id++)
                await client.UpsertAsync("c", [new Point(new PointId(id), [id, 2f])]);
            server.Kill();
            await server.WaitForExitAsync();
        }

        using (var server = await ServerProcess.StartAsync(_storage))
        {
            await using var client = new GranaryHttpClient(server.Address);
            Assert.Equal(50, await client.CountAsync("c"));
        }
    }

    [Fact]
    public async Task Of_two_servers_on_one_database_the_first_is_refused_its_next_write_and_says_why()
    {
        using var one = await ServerProcess.StartAsync(_storage);
        await using var first = new GranaryHttpClient(one.Address);
        await CreateAsync(first);
        await first.UpsertAsync("c", [new Point(new PointId(1), [1f, 2f])]);
        using var other = await ServerProcess.StartAsync(_storage);
        await using var second = new GranaryHttpClient(other.Address);
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => first.UpsertAsync("c", [new Point(new PointId(2), [1f, 2f])]));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains("another writer owns its log", error.Message);
        await second.UpsertAsync("c", [new Point(new PointId(3), [1f, 2f])]);
        Assert.Equal(2, await second.CountAsync("c"));
    }

    [Fact]
    public async Task A_server_that_PostgreSQL_left_says_so_and_goes_on_when_it_is_back()
    {
        using var server = await ServerProcess.StartAsync(_storage);
        await using var client = new GranaryHttpClient(server.Address);
        await CreateAsync(client);
        await client.UpsertAsync("c", [new Point(new PointId(1), [1f, 2f])]);
        await _postgres.KillAsync();
        Assert.Equal(1, await client.CountAsync("c"));
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => client.UpsertAsync("c", [new Point(new PointId(2), [1f, 2f])]));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains("cannot be reached", error.Message);
        await _postgres.StartAgainAsync();
        await client.UpsertAsync("c", [new Point(new PointId(3), [1f, 2f])]);
        Assert.Equal(2, await client.CountAsync("c"));
    }

    [Fact]
    public async Task Storage_without_migrations_is_told()
    {
        var (code, _, errors) = await ServerProcess.RunAsync("migrate", "--storage", "file:x");
        Assert.Equal(1, code);
        Assert.Contains("storage file: needs no migrations", errors);
    }

    private static async Task CreateAsync(GranaryHttpClient client) => await client.CreateCollectionAsync("c", new()
    {
        Schema = new IndexSchema { Dense = [new DenseVectorSchema("", 2, Distance.Dot)] },
    });

    private static async Task<string> RefusedAsync(string storage)
    {
        var (code, _, errors) = await ServerProcess.RunAsync("--storage", storage, "--urls", "http://127.0.0.1:0");
        Assert.Equal(1, code);
        return errors;
    }
}
