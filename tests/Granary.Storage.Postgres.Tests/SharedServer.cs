using Granary.Tests.Shared;

namespace Granary.Storage.Postgres.Tests;

/// <summary>One server for all tests of this assembly that leave it running; it ends with their process.</summary>
internal static class SharedServer
{
    private static readonly Lazy<Task<PostgresServer>> Started = new(() => PostgresServer.StartAsync());

    public static Task<PostgresServer> GetAsync() => Started.Value;

    /// <summary>The address of a new, empty database.</summary>
    public static async Task<string> CreateDatabaseAsync() => await (await GetAsync()).CreateDatabaseAsync();
}
