namespace Granary.Storage.Postgres.Tests;

/// <summary>Queues of stream messages, as the streaming provider uses them.</summary>
public sealed class OrleansStreamTests : IAsyncLifetime
{
    private const int Never = 100_000;
    private OrleansQueries _queries = null!;

    public async Task InitializeAsync() => _queries = await OrleansQueries.OpenAsync();

    public async Task DisposeAsync() => await _queries.DisposeAsync();

    [Fact]
    public async Task Messages_are_taken_in_order_once_and_gone_when_confirmed()
    {
        var ids = new List<long>();
        for (byte i = 1; i <= 5; i++)
            ids.Add(await QueueAsync(i));
        Assert.Equal(ids.Order(), ids);
        await QueueAsync(9, queue: "other");
        var first = await TakeAsync(max: 2);
        Assert.Equal([(ids[0], 1, 1), (ids[1], 1, 2)], first);
        Assert.Equal([3, 4, 5], (await TakeAsync(max: 10)).Select(m => m.Payload));
        Assert.Empty(await TakeAsync(max: 10));
        Assert.Equal([ids[0], ids[1]], (await ConfirmAsync($"{ids[0]}:1|{ids[1]}:1")).Order());
        Assert.Empty(await ConfirmAsync($"{ids[0]}:1"));
        Assert.Empty(await ConfirmAsync($"{ids[2]}:2"));
        Assert.Equal([9], (await TakeAsync(max: 10, queue: "other")).Select(m => m.Payload));
    }

    [Fact]
    public async Task What_is_not_confirmed_in_time_is_taken_again_and_an_old_receipt_is_refused()
    {
        var id = await QueueAsync(1);
        Assert.Equal([(id, 1, 1)], await TakeAsync(visible: 0));
        Assert.Equal([(id, 2, 1)], await TakeAsync(visible: Never));
        Assert.Empty(await ConfirmAsync($"{id}:1"));
        Assert.Equal([id], await ConfirmAsync($"{id}:2"));
    }

    [Fact]
    public async Task A_message_given_back_is_taken_again_at_once()
    {
        var id = await QueueAsync(1);
        await TakeAsync(visible: Never);
        Assert.Empty(await ConfirmAsync($"{id}:-2"));
        Assert.Empty(await TakeAsync());
        Assert.Equal([id], await ConfirmAsync($"{id}:-1"));
        Assert.Equal([(id, 2, 1)], await TakeAsync(visible: Never));
    }

    [Fact]
    public async Task What_was_taken_too_often_becomes_a_dead_letter_and_dead_letters_go()
    {
        var id = await QueueAsync(1);
        for (var i = 1; i <= 3; i++)
            Assert.Equal([(id, i, 1)], await TakeAsync(visible: 0, attempts: 3));
        Assert.Empty(await TakeAsync(visible: 0, attempts: 3));
        await RunAsync("EvictStreamMessagesKey", ("MaxCount", 10), ("MaxAttempts", 3), ("RemovalTimeout", 0));
        Assert.Empty(await TakeAsync(attempts: 100));
        Assert.Equal(1, await DeadLettersAsync());
        await RunAsync("EvictStreamDeadLettersKey", ("MaxCount", 10));
        Assert.Equal(0, await DeadLettersAsync());
    }

    [Fact]
    public async Task What_expired_is_not_taken_and_buried_by_the_next_who_takes()
    {
        await QueueAsync(1, expiry: 0);
        await QueueAsync(2);
        Assert.Equal([2], (await TakeAsync(evict: 0)).Select(m => m.Payload));
        Assert.Equal(1, await DeadLettersAsync());
        await QueueAsync(3, expiry: 0);
        Assert.Empty(await TakeAsync(evict: Never));
        Assert.Equal(2, await DeadLettersAsync());
        await QueueAsync(4, expiry: 0);
        Assert.Empty(await TakeAsync(evict: Never));
        Assert.Equal(2, await DeadLettersAsync());
    }

    [Fact]
    public async Task A_failed_delivery_is_tried_again_until_it_was_tried_too_often()
    {
        var id = await QueueAsync(1);
        await TakeAsync(visible: Never);
        await RunAsync("FailStreamMessageKey", ("MessageId", id), ("MaxAttempts", 2), ("RemovalTimeout", Never));
        Assert.Equal([(id, 2, 1)], await TakeAsync(visible: Never));
        await RunAsync("FailStreamMessageKey", ("MessageId", id), ("MaxAttempts", 2), ("RemovalTimeout", Never));
        Assert.Empty(await TakeAsync(attempts: 100));
        Assert.Equal(1, await DeadLettersAsync());
    }

    [Fact]
    public async Task Receivers_at_once_never_take_the_same_message()
    {
        for (byte i = 0; i < 100; i++)
            await QueueAsync(i);
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TakeAsync(max: 20, visible: Never)));
        var ids = taken.SelectMany(t => t.Select(m => m.Id)).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        ids.AddRange((await TakeAsync(max: 100, visible: Never)).Select(m => m.Id));
        Assert.Equal(100, ids.Distinct().Count());
    }

    private static (string, object?)[] Queue(string queue) => [("ServiceId", "s"), ("ProviderId", "p"), ("QueueId", queue)];

    private async Task<long> QueueAsync(byte payload, int expiry = Never, string queue = "q") => Assert.Single(await _queries.ReadAsync(
        "QueueStreamMessageKey",
        r =>
        {
            Assert.Equal(("s", "p", queue), ((string)r["ServiceId"], (string)r["ProviderId"], (string)r["QueueId"]));
            return (long)r["MessageId"];
        },
        [.. Queue(queue), ("Payload", new[] { payload }), ("ExpiryTimeout", expiry)]));

    private Task<List<(long Id, int Dequeued, int Payload)>> TakeAsync(
        int max = 10, int attempts = 5, int visible = Never, int evict = Never, string queue = "q") => _queries.ReadAsync(
        "GetStreamMessagesKey",
        r =>
        {
            Assert.Equal(DateTimeKind.Utc, ((DateTime)r["ExpiresOn"]).Kind);
            Assert.True((DateTime)r["VisibleOn"] >= (DateTime)r["ModifiedOn"] && (DateTime)r["ModifiedOn"] >= (DateTime)r["CreatedOn"]);
            return ((long)r["MessageId"], (int)r["Dequeued"], (int)((byte[])r["Payload"])[0]);
        },
        [.. Queue(queue), ("MaxCount", max), ("MaxAttempts", attempts), ("VisibilityTimeout", visible), ("RemovalTimeout", Never),
            ("EvictionInterval", evict), ("EvictionBatchSize", 100)]);

    private Task<List<long>> ConfirmAsync(string items) =>
        _queries.ReadAsync("ConfirmStreamMessagesKey", r => (long)r["MessageId"], [.. Queue("q"), ("Items", items)]);

    private Task RunAsync(string key, params (string, object?)[] parameters) =>
        _queries.ReadAsync(key, _ => 0, [.. Queue("q"), .. parameters]);

    private async Task<int> DeadLettersAsync() => await _queries.CountAsync("granary.orleans_stream_dead_letter");
}
