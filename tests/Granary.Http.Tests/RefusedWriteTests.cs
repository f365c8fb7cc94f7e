using Granary.Collections;

namespace Granary.Http.Tests;

public sealed class RefusedWriteTests
{
    [Fact]
    public async Task A_write_refused_by_settings_that_changed_while_it_was_read_is_read_again()
    {
        CollectionConfig? known = null;
        var looks = 0;
        var server = new ApiServer(new GranaryHttpOptions(), inner => RefusedIndexTests.Between<IDatabase>.Over(inner, (method, call) =>
            method == nameof(IDatabase.GetCollectionAsync) ? BehindAsync((ValueTask<ICollection>)call()!) : call()));
        await server.InitializeAsync();
        try
        {
            await server.CreateSampleAsync("meanwhile");
            var config = (await server.Database.GetCollectionAsync("meanwhile")).Config;
            known = config with { Schema = config.Schema with { Sparse = [] } };
            await server.OkAsync("PUT", "/collections/meanwhile/points?wait=true",
                """{"points":[{"id":1,"vector":{"s":{"indices":[1],"values":[1]}}}]}""");
            Assert.Equal(1, looks);

            // Nothing is new any more: a mistake is a mistake.
            await server.RefusedAsync("PUT", "/collections/meanwhile/points?wait=true",
                """{"points":[{"id":1,"vector":{"none":[1,2,3,4]}}]}""", 400, "none");
            Assert.Equal(2, looks);

            // What is no JSON, or not of the form, is so by any settings.
            await server.RefusedAsync("PUT", "/collections/meanwhile/points?wait=true", """{"points":[{"id":1""", 400, "EOF");
            Assert.Equal(2, looks);
        }
        finally
        {
            await server.DisposeAsync();
        }

        // The news comes in after the write was read and before it is looked for: the look finds nothing that is not known.
        async ValueTask<ICollection> BehindAsync(ValueTask<ICollection> collection) =>
            RefusedIndexTests.Between<ICollection>.Over(await collection, (method, call) =>
            {
                if (method == nameof(ICollection.RefreshAsync))
                {
                    looks++;
                    known = null;
                }

                return method == "get_" + nameof(ICollection.Config) && known is { } old ? old : call();
            });
    }
}
