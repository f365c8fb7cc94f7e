using Granary.Cluster.Tests.Support;
using Granary.Storage.Postgres;
using Granary.Tests.Shared;
using Npgsql;
using Xunit.Abstractions;

namespace Granary.Cluster.Tests;

/// <summary>Rule AckIsDurable while PostgreSQL comes and goes.</summary>
public sealed class DatabaseFaultTests(ITestOutputHelper output)
{
    [Fact]
    public async Task AckIsDurable_the_database_restarts_and_its_connections_are_cut_under_load()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var cluster = await SiloCluster.StartAsync(output, server: server);
        await cluster.SettledAsync();
        await cluster[0].Rest.OkAsync("PUT", "/collections/c", Points.Collection(partitions: 4, replicas: 2));
        await cluster.SettledAsync();
        await using (var load = await Load.StartAsync(cluster.Silos, "c"))
        {
            await WritesGoOnAsync(load, "before");
            for (var round = 0; round < 3; round++)
            {
                await CutConnectionsAsync(cluster.Database);
                await WritesGoOnAsync(load, "after connections were cut");
            }

            await server.RestartAsync();
            await WritesGoOnAsync(load, "after a restart");
            await server.KillAsync();
            await server.StartAgainAsync();
            await WritesGoOnAsync(load, "after a crash");
            await load.StopAsync();
            output.WriteLine($"{load.Queries} queries and {load.Writes} writes answered, {load.Ledger.Unanswered} changes unanswered.");
            await FinalState.CheckAsync(cluster, "c", load);
        }
    }

    private async Task WritesGoOnAsync(Load load, string when)
    {
        var before = load.Writes;
        foreach (var silo in load.Silos)
            await load.ProbeAsync(silo, wait: true);
        var took = await Until.NothingIsMissingAsync(
            () => Task.FromResult(load.Writes > before + 30 ? null : $"writes {when}: {load.Writes - before} of 30"));
        output.WriteLine($"30 writes {when}: {took.TotalSeconds:0.0} s, {load.FailedQueries.Count} queries failed so far");
    }

    private static async Task CutConnectionsAsync(string database)
    {
        await using var connection = new NpgsqlConnection(PostgresStorage.ToConnectionString(database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            connection);
        await command.ExecuteNonQueryAsync();
    }
}
