using System.Text;
using Granary.Collections.Ports;
using Xunit;

namespace Granary.Storage.Conformance;

/// <content>The catalog.</content>
public abstract partial class StorageConformance
{
    [Fact]
    public async Task A_document_is_created_changed_and_deleted_by_version()
    {
        var catalog = Storage.Catalog;
        Assert.Null(await catalog.GetAsync("collection/a", None));
        Assert.True(await CommitAsync(("collection/a", 0, "one")));
        Assert.False(await CommitAsync(("collection/a", 0, "two")));
        Assert.False(await CommitAsync(("collection/a", 2, "two")));
        Assert.True(await CommitAsync(("collection/a", 1, "two")));
        var entry = await catalog.GetAsync("collection/a", None);
        Assert.Equal((2, "two"), (entry!.Version, Encoding.UTF8.GetString(entry.Value.Span)));
        Assert.False(await CommitAsync(("collection/a", 1, null)));
        Assert.True(await CommitAsync(("collection/a", 2, null)));
        Assert.Null(await catalog.GetAsync("collection/a", None));
        Assert.True(await CommitAsync(("collection/a", 0, "anew")));
        Assert.Equal(1, (await catalog.GetAsync("collection/a", None))!.Version);
    }

    [Fact]
    public async Task A_commit_of_many_is_all_or_nothing()
    {
        Assert.True(await CommitAsync(("a", 0, "1"), ("b", 0, "1")));
        Assert.False(await CommitAsync(("a", 1, "2"), ("c", 0, "2"), ("b", 7, "2")));
        Assert.Equal([("a", 1L), ("b", 1L)], (await Storage.Catalog.ListAsync("", None)).Select(e => (e.Key, e.Version)));
        Assert.True(await CommitAsync(("a", 1, "2"), ("b", 1, null), ("c", 0, "2")));
        Assert.Equal([("a", 2L), ("c", 1L)], (await Storage.Catalog.ListAsync("", None)).Select(e => (e.Key, e.Version)));
    }

    [Fact]
    public async Task A_commit_that_names_a_document_twice_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await CommitAsync(("a", 0, "1"), ("a", 0, "2")));

    [Fact]
    public async Task Documents_are_listed_by_prefix_in_order_of_their_keys()
    {
        Assert.True(await CommitAsync(
            ("b/2", 0, ""), ("a/1", 0, "x"), ("b/1", 0, "y"), ("b%", 0, "z"), ("b_", 0, "z"), ("B/1", 0, "q"), ("b/ä", 0, "u")));
        Assert.Equal(["b/1", "b/2", "b/ä"], (await Storage.Catalog.ListAsync("b/", None)).Select(e => e.Key));
        Assert.Equal(["b%"], (await Storage.Catalog.ListAsync("b%", None)).Select(e => e.Key));
        Assert.Equal(7, (await Storage.Catalog.ListAsync("", None)).Count);
        Assert.Empty(await Storage.Catalog.ListAsync("c", None));
    }

    [Fact]
    public async Task Of_concurrent_commits_on_one_version_exactly_one_wins()
    {
        Assert.True(await CommitAsync(("counter", 0, "0")));
        for (var version = 1; version <= 20; version++)
        {
            var won = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => CommitAsync(("counter", version, "x")))));
            Assert.Single(won, true);
        }

        Assert.Equal(21, (await Storage.Catalog.GetAsync("counter", None))!.Version);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_catalog_survives_reopening(bool killed)
    {
        Assert.True(await CommitAsync(("a", 0, "1"), ("b", 0, "{\"name\":\"ä\"}")));
        Assert.True(await CommitAsync(("a", 1, "2")));
        await ReopenAsync(killed);
        var entries = await Storage.Catalog.ListAsync("", None);
        Assert.Equal([("a", 2L, "2"), ("b", 1L, "{\"name\":\"ä\"}")],
            entries.Select(e => (e.Key, e.Version, Encoding.UTF8.GetString(e.Value.Span))));
        Assert.True(await CommitAsync(("a", 2, "3")));
    }

    [Fact]
    public async Task Closed_storage_refuses_work()
    {
        await ReopenAsync(killed: false);
        var closed = Storage;
        await ReopenAsync(killed: false);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await closed.OpenLogAsync(Key, None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await closed.Catalog.TryCommitAsync([], None));
    }

    protected async Task<bool> CommitAsync(params (string Key, long Version, string? Value)[] changes) =>
        await Storage.Catalog.TryCommitAsync(
            [.. changes.Select(c => new CatalogChange(
                c.Key, c.Version, c.Value is null ? null : (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(c.Value)))], None);
}
