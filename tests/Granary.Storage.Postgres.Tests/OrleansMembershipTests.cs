using System.Data;
using System.Data.Common;

namespace Granary.Storage.Postgres.Tests;

/// <summary>Membership, as the clustering provider asks for it.</summary>
public sealed class OrleansMembershipTests : IAsyncLifetime
{
    private static readonly DateTime Start = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private OrleansQueries _queries = null!;

    public async Task InitializeAsync() => _queries = await OrleansQueries.OpenAsync();

    public async Task DisposeAsync() => await _queries.DisposeAsync();

    [Fact]
    public void Every_query_that_the_providers_look_up_is_there() => Assert.Superset(
        new HashSet<string>
        {
            "GatewaysQueryKey", "MembershipReadRowKey", "MembershipReadAllKey", "InsertMembershipVersionKey", "UpdateIAmAlivetimeKey",
            "InsertMembershipKey", "UpdateMembershipKey", "DeleteMembershipTableEntriesKey", "CleanupDefunctSiloEntriesKey",
            "ReadReminderRowsKey", "ReadRangeRows1Key", "ReadRangeRows2Key", "ReadReminderRowKey", "UpsertReminderRowKey",
            "DeleteReminderRowKey", "DeleteReminderRowsKey", "QueueStreamMessageKey", "GetStreamMessagesKey", "ConfirmStreamMessagesKey",
            "FailStreamMessageKey", "EvictStreamMessagesKey", "EvictStreamDeadLettersKey", "WriteToStorageKey", "ReadFromStorageKey",
            "ClearStorageKey", "DeleteStorageKey",
        },
        _queries.Keys.ToHashSet());

    [Fact]
    public async Task A_cluster_begins_once_with_version_0_and_no_silo()
    {
        Assert.True(await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c")));
        Assert.False(await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c")));
        Assert.Equal((null, 0), Assert.Single(await ReadAllAsync()));
        Assert.Equal((null, 0), Assert.Single(await ReadRowAsync(1)));
    }

    [Fact]
    public async Task A_silo_is_added_once_and_only_at_the_version_expected()
    {
        await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c"));
        Assert.False(await AddAsync(1, version: 1));
        Assert.True(await AddAsync(1, version: 0));
        Assert.False(await AddAsync(2, version: 0));
        Assert.False(await AddAsync(1, version: 1));
        Assert.Equal([("1:2:Start", 1)], await ReadAllAsync());
        Assert.True(await AddAsync(2, version: 1));
        Assert.Equal(2, (await ReadAllAsync()).Count);
        Assert.Equal(("2:2:Start", 2), Assert.Single(await ReadRowAsync(2)));
        Assert.Equal((null, 2), Assert.Single(await ReadRowAsync(3)));
    }

    [Fact]
    public async Task Of_silos_added_at_once_at_one_version_one_is_added()
    {
        await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c"));
        for (var version = 0; version < 10; version++)
        {
            var won = await Task.WhenAll(Enumerable.Range(1, 5).Select(i => AddAsync((10 * version) + i, version)));
            Assert.Single(won, true);
        }

        var silos = await ReadAllAsync();
        Assert.Equal(10, silos.Count);
        Assert.All(silos, s => Assert.Equal(10, s.Version));
    }

    [Fact]
    public async Task A_silo_changes_only_at_the_version_expected_and_its_heartbeat_at_any()
    {
        await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c"));
        await AddAsync(1, version: 0);
        Assert.False(await ChangeAsync(1, version: 0, status: 3, "x"));
        Assert.False(await ChangeAsync(2, version: 1, status: 3, "x"));
        Assert.Equal([("1:2:Start", 1)], await ReadAllAsync());
        Assert.True(await ChangeAsync(1, version: 1, status: 3, null));
        Assert.True(await ChangeAsync(1, version: 2, status: 6, "a,b|c,d"));
        Assert.Equal([("1:6:a,b|c,d", 3)], await ReadAllAsync());
        await _queries.ReadAsync("UpdateIAmAlivetimeKey", _ => 0, [.. Silo(1), ("IAmAliveTime", Start.AddHours(1))]);
        var alive = await _queries.ReadAsync(
            "MembershipReadAllKey", r => r.GetDateTime(r.GetOrdinal("IAmAliveTime")), ("DeploymentId", "c"));
        Assert.Equal([Start.AddHours(1)], alive);
        Assert.Equal(3, (await ReadAllAsync())[0].Version);
    }

    [Fact]
    public async Task Gateways_are_active_silos_with_a_proxy()
    {
        await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c"));
        await AddAsync(1, version: 0);
        await AddAsync(2, version: 1);
        await AddAsync(3, version: 2, proxy: 0);
        await ChangeAsync(1, version: 3, status: 3, null);
        await ChangeAsync(3, version: 4, status: 3, null);
        var found = await _queries.ReadAsync(
            "GatewaysQueryKey", r => ((string)r["Address"], (int)r["ProxyPort"], (int)r["Generation"]),
            ("DeploymentId", "c"), ("Status", 3));
        Assert.Equal([("10.0.0.1", 30001, 7)], found);
    }

    [Fact]
    public async Task Cleaning_up_takes_the_dead_that_are_old_and_nobody_else()
    {
        await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c"));
        for (var i = 0; i < 4; i++)
            await AddAsync(i + 1, version: i);
        await ChangeAsync(1, version: 4, status: 6, null, Start.AddDays(-10));
        await ChangeAsync(2, version: 5, status: 6, null, Start);
        await ChangeAsync(3, version: 6, status: 3, null, Start.AddDays(-10));
        await _queries.ReadAsync("CleanupDefunctSiloEntriesKey", _ => 0, ("DeploymentId", "c"), ("IAmAliveTime", Start.AddDays(-1)));
        Assert.Equal(["2:6:Start", "3:3:Start", "4:2:Start"], (await ReadAllAsync()).Select(s => s.Silo).Order());
        await _queries.ReadAsync("DeleteMembershipTableEntriesKey", _ => 0, ("DeploymentId", "c"));
        Assert.Empty(await ReadAllAsync());
        Assert.True(await _queries.TryAsync("InsertMembershipVersionKey", ("DeploymentId", "c")));
    }

    private static (string, object?)[] Silo(int number) =>
        [("DeploymentId", "c"), ("Address", $"10.0.0.{number}"), ("Port", 11111), ("Generation", 7)];

    private Task<bool> AddAsync(int number, int version, int? proxy = null) => _queries.TryAsync(
        "InsertMembershipKey",
        [.. Silo(number), ("IAmAliveTime", Start), ("SiloName", $"silo{number}"), ("HostName", "host"), ("StartTime", Start), ("Status", 2),
            ("ProxyPort", proxy ?? 30000 + number), ("Version", version)]);

    private Task<bool> ChangeAsync(int number, int version, int status, string? suspects, DateTime? alive = null) => _queries.TryAsync(
        "UpdateMembershipKey",
        [.. Silo(number), ("IAmAliveTime", alive ?? Start), ("Status", status),
            ("SuspectTimes", suspects ?? (object)new OrleansQueries.Absent(DbType.String)), ("Version", version)]);

    private Task<List<(string? Silo, int Version)>> ReadAllAsync() =>
        _queries.ReadAsync("MembershipReadAllKey", Member, ("DeploymentId", "c"));

    private Task<List<(string? Silo, int Version)>> ReadRowAsync(int number) =>
        _queries.ReadAsync("MembershipReadRowKey", Member, Silo(number));

    /// <summary>As the provider reads it: there is a silo when there is a time of its start.</summary>
    private static (string? Silo, int Version) Member(DbDataReader row)
    {
        var version = Convert.ToInt32(row["Version"]);
        if (row.IsDBNull(row.GetOrdinal("StartTime")))
            return (null, version);
        Assert.Equal(Start, row.GetDateTime(row.GetOrdinal("StartTime")));
        Assert.Equal(7, row.GetInt32(row.GetOrdinal("Generation")));
        Assert.Equal("host", (string)row["HostName"]);
        Assert.Equal(11111, row.GetInt32(row.GetOrdinal("Port")));
        var number = ((string)row["SiloName"])[4..];
        Assert.Equal($"10.0.0.{number}", (string)row["Address"]);
        var suspects = row["SuspectTimes"] is string text ? text : "Start";
        return ($"{number}:{row.GetInt32(row.GetOrdinal("Status"))}:{suspects}", version);
    }
}
