using Granary.Collections.Ports;
using Npgsql;

namespace Granary.Storage.Postgres.Tests;

/// <summary>A database with nothing in it, and what tests do to it behind the storage's back.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly List<IStorage> _opened = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("granary-cache-").FullName;

    private Bench(string address) => Address = address;

    public static PartitionKey Key { get; } = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 3);

    /// <summary>The table of <see cref="Key"/>'s log.</summary>
    public static string LogTable => $"granary.log_{Key.Incarnation:N}";

    public string Address { get; }

    public string Cache => Path.Combine(_folder, "cache");

    public static async Task<Bench> MakeAsync() => new(await SharedServer.CreateDatabaseAsync());

    public static Bench On(string address) => new(address);

    public async Task<PostgresStorage> OpenAsync(PostgresStorageOptions? options = null, string? address = null, string? cache = null)
    {
        options ??= new PostgresStorageOptions();
        var storage = await PostgresStorage.OpenAsync(address ?? Address, options with { CacheFolder = cache ?? Cache });
        _opened.Add(storage);
        return storage;
    }

    /// <summary>Statements on a connection of their own.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A connection that is in no pool.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var settings = new NpgsqlConnectionStringBuilder(PostgresStorage.ToConnectionString(Address)) { Pooling = false };
        var connection = new NpgsqlConnection(settings.ToString());
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Ends every other session of the database.</summary>
    public Task CutAsync() => ExecuteAsync(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");

    public static LogRecord Record(long operation, int bytes = 100)
    {
        var operations = new byte[bytes];
        new Random((int)operation).NextBytes(operations);
        return new LogRecord(operation, 1, Guid.NewGuid(), operations);
    }

    public static async Task<List<LogRecord>> ReadAsync(ILogReader log, long from = 1)
    {
        var records = new List<LogRecord>();
        await foreach (var record in log.ReadAsync(from, default))
            records.Add(record);
        return records;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var storage in _opened)
            await storage.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
