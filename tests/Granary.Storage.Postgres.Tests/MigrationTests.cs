using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Postgres.Tests;

/// <summary>Addresses, migrations and rights.</summary>
public sealed class MigrationTests
{
    [Fact]
    public async Task Migrations_are_applied_once_whoever_applies_them_at_once()
    {
        var address = await SharedServer.CreateDatabaseAsync();
        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(
            async () => await PostgresStorage.MigrateAsync(address))));
        Assert.Equal(PostgresMigrations.All.Select(m => m.Name), applied.Single(a => a.Count > 0).Select(m => m.Name));
        Assert.Equal(Enumerable.Range(1, PostgresMigrations.All.Count), PostgresMigrations.All.Select(m => m.Version));
        Assert.Empty(await PostgresStorage.MigrateAsync(address));
    }

    [Fact]
    public async Task A_migration_that_changed_after_it_was_applied_is_refused()
    {
        await using var bench = await Bench.MakeAsync();
        await PostgresStorage.MigrateAsync(bench.Address);
        await bench.ExecuteAsync("UPDATE granary.migration SET checksum = 'another' WHERE version = 1");
        var error = await Assert.ThrowsAsync<GranaryException>(() => bench.OpenAsync());
        Assert.Contains("0001_granary.sql was applied to this database with checksum another", error.Message);
    }

    [Fact]
    public async Task Without_leave_to_migrate_a_database_without_tables_is_refused()
    {
        await using var bench = await Bench.MakeAsync();
        var error = await Assert.ThrowsAsync<GranaryException>(() => bench.OpenAsync(address: bench.Address + "?migrate=false"));
        Assert.Contains("`granary migrate`", error.Message);
        await PostgresStorage.MigrateAsync(bench.Address);
        await bench.OpenAsync(address: bench.Address + "?migrate=false");
    }

    [Fact]
    public async Task The_least_rights_do_for_everything_a_server_does_and_for_no_table_of_its_own()
    {
        await using var bench = await Bench.MakeAsync();
        await PostgresStorage.MigrateAsync(bench.Address);
        var role = $"app_{Guid.NewGuid():N}";
        await bench.ExecuteAsync(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "roles.sql")));
        await bench.ExecuteAsync($"CREATE ROLE {role} LOGIN IN ROLE granary_server");
        await using var limited = Bench.On(bench.Address.Replace("granary@", $"{role}@", StringComparison.Ordinal));
        var storage = await limited.OpenAsync(address: limited.Address + "?migrate=false");
        Assert.True(await storage.Catalog.TryCommitAsync([new CatalogChange("a", 0, new byte[] { 1 })], default));
        await using (var log = await storage.OpenLogAsync(Bench.Key, default))
        {
            await log.AppendAsync([Bench.Record(1), Bench.Record(2)], default);
            await log.TruncateAsync(2, default);
            Assert.Single(await Bench.ReadAsync(log, 2));
        }

        LeaseRequest[] leases = [new(Bench.Key, Guid.NewGuid(), 1)];
        Assert.Equal([3], await storage.Leases!.RenewAsync(leases, TimeSpan.FromMinutes(1), default));
        Assert.Equal(leases[0].Instance, Assert.Single(await storage.Leases.HoldersAsync(Bench.Key, default)).Instance);
        await storage.Leases.ReleaseAsync(leases, default);
        Assert.Empty(await storage.Leases.HoldersAsync(Bench.Key, default));

        await using (var store = await storage.OpenCheckpointsAsync(Bench.Key, default))
        {
            await using var builder = await store.BeginAsync(1, default);
            await using (var stream = builder.Create("graph"))
                stream.Write([1, 2, 3]);
            await store.DeleteAsync(await builder.PublishAsync(default), default);
        }

        await storage.DropCollectionAsync(Bench.Key.Incarnation, default);
        Assert.Empty(await storage.ListIncarnationsAsync(default));
        foreach (var sql in (string[])["CREATE TABLE granary.mine (a integer)", "DROP TABLE granary.catalog",
            "DELETE FROM granary.catalog", "TRUNCATE granary.log_head", "UPDATE granary.migration SET checksum = ''"])
        {
            var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => limited.ExecuteAsync(sql));
            Assert.Equal("42501", refused.SqlState);
        }
    }

    [Theory]
    [InlineData("postgres://u:p%40ss@db.example:6000/things?pool=7&sslmode=verify-full", "postgres://db.example:6000/things")]
    [InlineData("postgresql://localhost/granary?cache=%2Fvar%2Fcache&migrate=false&connect_timeout=3", "postgres://localhost:5432/granary")]
    public void An_address_is_described_without_user_and_password(string address, string told)
    {
        Assert.Equal(told, PostgresStorage.Describe(address));
        Assert.Equal(address.Contains("p%40ss", StringComparison.Ordinal),
            PostgresStorage.ToConnectionString(address).Contains("p@ss", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("postgres://u:hidden@localhost", "postgres://localhost names no database")]
    [InlineData("postgres:data", "postgres://user:password@host:5432/database")]
    [InlineData("postgres://localhost/a?colour=red", "option `colour` is unknown")]
    [InlineData("postgres://localhost/a?migrate=maybe", "option `migrate` is `maybe`, it must be true or false")]
    [InlineData("postgres://localhost/a?pool=0", "option `pool` is `0`")]
    [InlineData("postgres://u:hidden@localhost/a?sslmode=some", "option `sslmode` is `some`")]
    public void An_address_that_is_none_is_refused_with_the_reason(string address, string told)
    {
        var error = Assert.Throws<GranaryException>(() => PostgresStorage.Describe(address));
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        Assert.Contains(told, error.Message);
        Assert.DoesNotContain("hidden", error.Message);
    }

    [Fact]
    public async Task A_user_or_database_that_is_not_there_is_told()
    {
        await using var bench = await Bench.MakeAsync();
        var nobody = bench.Address.Replace("granary@", "nobody-here@", StringComparison.Ordinal);
        var error = await Assert.ThrowsAsync<GranaryException>(() => bench.OpenAsync(address: nobody));
        Assert.Contains("does not let this user in", error.Message);
        error = await Assert.ThrowsAsync<GranaryException>(() => bench.OpenAsync(address: bench.Address + "-nowhere"));
        Assert.Contains("no such database", error.Message);
    }
}
