using Granary.Client;
using Granary.Standalone.Terminal;

namespace Granary.Standalone.Demo;

/// <summary>Loads the sample collection, unless it is there whole already.</summary>
internal sealed class SampleLoader(IGranaryClient client, DemoEmbedder embedder)
{
    private const int BatchSize = 250;
    private const int Concurrency = 4;

    public async Task LoadAsync(CancellationToken cancellation)
    {
        if (!await client.CollectionExistsAsync(SampleCollection.Name, cancellation))
        {
            var config = SampleCollection.Config(embedder.Model, embedder.Dimensions);
            await client.CreateCollectionAsync(SampleCollection.Name, config, cancellation);
        }
        else
        {
            embedder.Check((await client.GetCollectionAsync(SampleCollection.Name, cancellation)).Embeddings);
            if (await client.CountAsync(SampleCollection.Name, null, cancellation) >= SampleCollection.Count)
            {
                Console.WriteLine($"Collection `{SampleCollection.Name}` is there already; nothing was loaded.");
                return;
            }
        }

        using (var progress = ProgressLine.Start($"Loading {SampleCollection.Count:N0} package descriptions", SampleCollection.Count))
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellation };
            await Parallel.ForEachAsync(SampleCollection.Points().Chunk(BatchSize), options, async (batch, token) =>
            {
                await client.UpsertAsync(SampleCollection.Name, batch, wait: true, token);
                progress.Add(batch.Length);
            });
        }

        await client.WaitAsync(SampleCollection.Name, null, cancellation);
        var stats = await client.StatsAsync(SampleCollection.Name, cancellation);
        Console.WriteLine($"{stats.Points:N0} points, {stats.IndexedVectors:N0} vectors linked, {stats.EmbeddingFailures:N0} texts "
            + "without a vector.");
    }
}
