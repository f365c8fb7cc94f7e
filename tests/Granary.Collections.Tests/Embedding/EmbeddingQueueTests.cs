using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Index.Operations;
using Microsoft.Extensions.AI;

namespace Granary.Collections.Tests.Embedding;

/// <summary>The queue of texts is bounded; what did not go in is found again, and waited for.</summary>
public sealed class EmbeddingQueueTests : IDisposable
{
    private const int Capacity = 4;
    private const int BatchSize = 2;
    private readonly StubGenerator _generator = new();

    [Fact]
    public async Task MoreTextsThanTheQueueHoldsAreAllEmbedded()
    {
        var held = new TaskCompletionSource();
        _generator.Before = _ => held.Task;
        using var embedder = Embedder();
        await using var pipeline = Pipeline(embedder);
        var target = new Target();
        pipeline.Start([target]);
        for (ulong i = 1; i <= 5_000; i++)
        {
            target.Texts[new PointId(i)] = $"words {i}";
            pipeline.Enqueue(0, (long)i, new PointId(i));
            // What is in the queue, in the worker's hands and in those of who looks, and one for the looking.
            Assert.InRange(pipeline.Pending, 1, Capacity + BatchSize + 2);
        }

        var waits = Enumerable.Range(1, 5_000)
            .Select(i => (Id: new PointId((ulong)i), Wait: pipeline.WaitAsync(0, i, i).AsTask())).ToList();
        Assert.DoesNotContain(waits, w => w.Wait.IsCompleted);
        held.SetResult();
        foreach (var (id, wait) in waits)
        {
            await wait;
            Assert.Equal(StubGenerator.Of($"words {id.Number}"), target.Vectors[id]);
        }

        await pipeline.WaitAsync(0, 0, long.MaxValue - 1);
        Assert.Equal(0, pipeline.Pending);
        Assert.Equal(5_000, target.Vectors.Count);
    }

    [Fact]
    public async Task ClosingLetsThoseGoWhoWait()
    {
        var never = new TaskCompletionSource();
        _generator.Before = _ => never.Task;
        using var embedder = Embedder();
        var pipeline = Pipeline(embedder);
        var target = new Target();
        pipeline.Start([target]);
        for (ulong i = 1; i <= 50; i++)
        {
            target.Texts[new PointId(i)] = $"words {i}";
            pipeline.Enqueue(0, (long)i, new PointId(i));
        }

        var wait = pipeline.WaitAsync(0, 1, 50).AsTask();
        Assert.False(wait.IsCompleted);
        await pipeline.DisposeAsync();
        await wait;
        // An operation applied after it is found at the next start; nobody waits for it here.
        pipeline.Enqueue(0, 51, new PointId(51));
        Assert.True(pipeline.WaitAsync(0, 51, 51).IsCompletedSuccessfully);
    }

    public void Dispose() => _generator.Dispose();

    private TextEmbedder Embedder() => new(new DatabaseOptions
    {
        Generators = new Dictionary<string, IEmbeddingGenerator<string, Embedding<float>>> { ["stub"] = _generator },
        DefaultModel = "stub",
        EmbeddingBatchSize = BatchSize,
        EmbeddingConcurrency = 1,
    });

    private static EmbeddingPipeline Pipeline(TextEmbedder embedder) => new(
        Fixture.Plain with { Embeddings = [new EmbeddingRule("", "text")] }, embedder, new PhaseTimings().Embed, TimeProvider.System,
        Capacity);

    /// <summary>A partition of texts, with the vectors applied to it.</summary>
    private sealed class Target : IEmbeddingTarget
    {
        public ConcurrentDictionary<PointId, string> Texts { get; } = [];

        public ConcurrentDictionary<PointId, float[]> Vectors { get; } = [];

        public int Number => 0;

        public PointRecord? Read(PointId id, VectorSelector vectors) => new(id, 1)
        {
            Payload = Encoding.UTF8.GetBytes($$"""{"text":"{{Texts[id]}}"}"""),
            Vectors = Vectors.TryGetValue(id, out var vector) ? [new NamedVector("", vector)] : ImmutableArray<NamedVector>.Empty,
        };

        public IReadOnlyList<PointId> Lacking(string vector, string path, PointId? from, int limit) =>
            [.. Texts.Keys.Where(id => !Vectors.ContainsKey(id) && (from is not { } first || id >= first)).Order().Take(limit)];

        public ValueTask ApplyAsync(ReadOnlyMemory<byte> operations, int count, CancellationToken cancellation)
        {
            foreach (var bytes in new OperationSequence(operations.Span))
            {
                var view = new OperationView(bytes);
                foreach (var vector in view)
                    Vectors[view.Id] = vector.Values.ToArray();
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask CaughtUpAsync(CancellationToken cancellation) => ValueTask.CompletedTask;
    }
}
