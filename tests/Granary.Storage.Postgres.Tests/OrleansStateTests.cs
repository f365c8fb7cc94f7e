using System.Data;

namespace Granary.Storage.Postgres.Tests;

/// <summary>Grain storage and reminders, as their providers ask for them.</summary>
public sealed class OrleansStateTests : IAsyncLifetime
{
    private static readonly DateTime Start = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private OrleansQueries _queries = null!;

    public async Task InitializeAsync() => _queries = await OrleansQueries.OpenAsync();

    public async Task DisposeAsync() => await _queries.DisposeAsync();

    [Theory]
    [InlineData(null)]
    [InlineData("key")]
    public async Task State_is_written_at_its_version_only(string? key)
    {
        Assert.Empty(await ReadAsync(key));
        Assert.Equal(1, await WriteAsync(key, null, [1]));
        Assert.Null(await WriteAsync(key, null, [2]));
        Assert.Equal(7, await WriteAsync(key, 7, [2]));
        Assert.Equal([1], Assert.Single(await ReadAsync(key)).Payload);
        Assert.Equal(2, await WriteAsync(key, 1, [3]));
        Assert.Equal(1, await WriteAsync(key, 1, [4]));
        var (payload, version) = Assert.Single(await ReadAsync(key));
        Assert.Equal([3], payload);
        Assert.Equal(2, version);
        Assert.Empty(await ReadAsync("another"));
    }

    [Fact]
    public async Task State_is_cleared_or_deleted_at_its_version_only()
    {
        await WriteAsync("a", null, [1]);
        Assert.Equal(5, await ChangeAsync("ClearStorageKey", "a", 5));
        Assert.Equal(2, await ChangeAsync("ClearStorageKey", "a", 1));
        Assert.Equal((null, 2), Assert.Single(await ReadAsync("a")));
        Assert.Equal(3, await WriteAsync("a", 2, [2]));
        Assert.Equal(2, await ChangeAsync("DeleteStorageKey", "a", 2));
        Assert.Single(await ReadAsync("a"));
        Assert.Equal(4, await ChangeAsync("DeleteStorageKey", "a", 3));
        Assert.Empty(await ReadAsync("a"));
        Assert.Equal(1, await WriteAsync("a", null, [1]));
    }

    [Fact]
    public async Task Of_first_writes_at_once_one_wins()
    {
        var versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => WriteAsync(null, null, [(byte)i])));
        Assert.Single(versions, 1);
        Assert.Equal(7, versions.Count(v => v is null));
    }

    [Fact]
    public async Task A_reminder_is_set_changed_and_deleted_by_its_version()
    {
        Assert.Equal(0, await SetAsync("g", "r", 5, 1000));
        Assert.Equal(1, await SetAsync("g", "r", 5, 2000));
        Assert.Equal(0, await SetAsync("g", "long", 5, (long)int.MaxValue * 10));
        var found = await _queries.ReadAsync(
            "ReadReminderRowKey", r => ((string)r["GrainId"], (string)r["ReminderName"], r.GetDateTime(r.GetOrdinal("StartTime")),
                r.GetInt64(r.GetOrdinal("Period")), Convert.ToInt32(r["Version"])),
            ("ServiceId", "s"), ("GrainId", "g"), ("ReminderName", "r"));
        Assert.Equal([("g", "r", Start, 2000L, 1)], found);
        Assert.Equal(["long", "r"], await NamesAsync("ReadReminderRowsKey", ("ServiceId", "s"), ("GrainId", "g")));
        (string, object?)[] key = [("ServiceId", "s"), ("GrainId", "g"), ("ReminderName", "r")];
        Assert.False(await _queries.TryAsync("DeleteReminderRowKey", [.. key, ("Version", 0)]));
        Assert.True(await _queries.TryAsync("DeleteReminderRowKey", [.. key, ("Version", 1)]));
        Assert.Equal(["long"], await NamesAsync("ReadReminderRowsKey", ("ServiceId", "s"), ("GrainId", "g")));
        await _queries.ReadAsync("DeleteReminderRowsKey", _ => 0, ("ServiceId", "s"));
        Assert.Empty(await NamesAsync("ReadReminderRowsKey", ("ServiceId", "s"), ("GrainId", "g")));
    }

    [Fact]
    public async Task Reminders_are_read_by_a_range_of_the_ring_which_may_go_over_its_end()
    {
        foreach (var hash in (int[])[int.MinValue, -5, 0, 5, int.MaxValue])
            await SetAsync("g", hash.ToString(), hash, 1);
        Assert.Equal(["0", "5"], await NamesAsync("ReadRangeRows1Key", ("ServiceId", "s"), ("BeginHash", -5), ("EndHash", 5)));
        Assert.Equal(["-2147483648", "-5", "2147483647"],
            await NamesAsync("ReadRangeRows2Key", ("ServiceId", "s"), ("BeginHash", 5), ("EndHash", -5)));
        Assert.Equal(5, (await NamesAsync("ReadRangeRows2Key", ("ServiceId", "s"), ("BeginHash", 0), ("EndHash", 0))).Count);
        Assert.Empty(await NamesAsync("ReadRangeRows2Key", ("ServiceId", "other"), ("BeginHash", 0), ("EndHash", 0)));
    }

    private static (string, object?)[] Grain(string? key) =>
    [
        ("GrainIdHash", key is null ? 1 : 2), ("GrainIdN0", 3L), ("GrainIdN1", 4L), ("GrainTypeHash", 5), ("GrainTypeString", "type"),
        ("GrainIdExtensionString", key ?? (object)new OrleansQueries.Absent(DbType.String)), ("ServiceId", "s"),
    ];

    private Task<List<(byte[]? Payload, int Version)>> ReadAsync(string? key) => _queries.ReadAsync(
        "ReadFromStorageKey", r => (r["PayloadBinary"] as byte[], Convert.ToInt32(r["Version"])), Grain(key));

    private Task<int?> WriteAsync(string? key, int? version, byte[] payload) => ChangeAsync(
        "WriteToStorageKey", key, version, ("PayloadBinary", payload));

    private async Task<int?> ChangeAsync(string query, string? key, int? version, params (string, object?)[] more) =>
        Assert.Single(await _queries.ReadAsync(
            query, r => r["NewGrainStateVersion"] is int v ? v : (int?)null,
            [.. Grain(key), ("GrainStateVersion", version ?? (object)new OrleansQueries.Absent(DbType.Int32)), .. more]));

    private async Task<int> SetAsync(string grain, string name, int hash, long period) => Assert.Single(await _queries.ReadAsync(
        "UpsertReminderRowKey", r => Convert.ToInt32(r["Version"]), ("ServiceId", "s"), ("GrainHash", hash), ("GrainId", grain),
        ("ReminderName", name), ("StartTime", Start), ("Period", period <= int.MaxValue ? (int)period : (object)period)));

    private async Task<List<string>> NamesAsync(string query, params (string, object?)[] parameters) =>
        [.. (await _queries.ReadAsync(query, r => (string)r["ReminderName"], parameters)).Order(StringComparer.Ordinal)];
}
