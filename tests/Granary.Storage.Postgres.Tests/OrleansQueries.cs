using System.Data;
using System.Data.Common;
using Npgsql;

namespace Granary.Storage.Postgres.Tests;

/// <summary>
/// Asks the database as the AdoNet providers of Orleans do: the text by its key, parameters by name with the general type of their value,
/// an absent one as a typed null, and columns by name.
/// </summary>
internal sealed class OrleansQueries : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly Dictionary<string, string> _texts;

    private OrleansQueries(NpgsqlDataSource source, Dictionary<string, string> texts) => (_source, _texts) = (source, texts);

    public IEnumerable<string> Keys => _texts.Keys;

    public static async Task<OrleansQueries> OpenAsync()
    {
        var address = await SharedServer.CreateDatabaseAsync();
        await PostgresStorage.MigrateAsync(address);
        var source = NpgsqlDataSource.Create(PostgresStorage.ToConnectionString(address));
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var command = source.CreateCommand("SELECT QueryKey, QueryText FROM OrleansQuery");
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
            texts.Add((string)rows["QueryKey"], (string)rows["QueryText"]);
        return new OrleansQueries(source, texts);
    }

    public async Task<List<T>> ReadAsync<T>(string key, Func<DbDataReader, T> read, params (string Name, object? Value)[] parameters)
    {
        await using var command = _source.CreateCommand(_texts[key]);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter
            {
                ParameterName = name,
                Value = value is Absent ? DBNull.Value : value,
                DbType = value switch
                {
                    int => DbType.Int32,
                    long => DbType.Int64,
                    DateTime => DbType.DateTime,
                    byte[] => DbType.Binary,
                    Absent absent => absent.Type,
                    _ => DbType.String,
                },
            });
        }

        await using var rows = await command.ExecuteReaderAsync();
        var list = new List<T>();
        while (await rows.ReadAsync())
            list.Add(read(rows));
        return list;
    }

    /// <summary>The one boolean that a conditional change answers with.</summary>
    public async Task<bool> TryAsync(string key, params (string Name, object? Value)[] parameters) =>
        Assert.Single(await ReadAsync(key, row => Convert.ToBoolean(row.GetValue(0)), parameters));

    /// <summary>How many rows a table has.</summary>
    public async Task<int> CountAsync(string table)
    {
        await using var command = _source.CreateCommand($"SELECT count(*)::integer FROM {table}");
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    /// <summary>A null of a type.</summary>
    internal sealed record Absent(DbType Type);
}
