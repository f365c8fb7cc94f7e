using System.Collections.Immutable;
using Granary.Collections.Catalog;
using Granary.Collections.Querying;
using Granary.Collections.Searching;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Collections.Tests.Querying;

/// <summary>When partitions that leave out what is below a floor are asked, and asked again.</summary>
public sealed class FloorRoundsTests
{
    [Fact]
    public async Task WhatWasLeftOutIsAskedForWhenPointsGoInBetween()
    {
        // The first was told too much, so it is asked again; by then its point is deleted, and what the second left out is wanted.
        var first = new Part(0, Answer(9.5f, (1, 9.6f)), Answer(9), Answer(null));
        var second = new Part(1, Answer(9, (2, 10), (3, 9)), Answer(null, (2, 10), (3, 9), (4, 8)));
        var hits = await Coordinator(first, second).QueryAsync(Query, default);
        Assert.Equal([2UL, 3UL, 4UL], hits.Select(h => h.Id.Number));
        Assert.Equal((3, 2), (first.Asked.Count, second.Asked.Count));
        Assert.Equal(9, Assert.IsType<TextLeg>(first.Asked[1].Legs[0]).Floor!.Value);
        Assert.All([first, second], p => Assert.Null(Assert.IsType<TextLeg>(p.Asked[^1].Legs[0]).Floor));
    }

    [Fact]
    public async Task PartitionsThatChangeAllTheTimeAreAnsweredInTheEnd()
    {
        // However low the floor, it says that hits above the last of the best may lack.
        var first = new Part(0, Answer(9.5f, (1, 9.6f)));
        var second = new Part(1, Answer(null, (2, 10), (3, 9)));
        var hits = await Coordinator(first, second).QueryAsync(Query, default);
        Assert.Equal([2UL, 1UL, 3UL], hits.Select(h => h.Id.Number));
        Assert.InRange(first.Asked.Count, 2, 10);
        Assert.Single(second.Asked);
    }

    [Theory]
    [InlineData(1, 50_000)]
    [InlineData(2, 50_000)]
    [InlineData(2, 500_000)]
    public async Task PartitionsElsewhereDoNotWaitForOneHereThatWaits(int near, long points)
    {
        var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var parts = Enumerable.Range(0, near + 1).Select(i => new Part(i, Answer(null, ((ulong)i, 10 - i)))
        {
            IsNear = i < near,
            EstimatedPoints = points,
            Before = i == 0 ? waits.Task : Task.CompletedTask,
        }).ToArray();
        var answer = Coordinator(parts).QueryAsync(Query, default).AsTask();
        await parts[near].WasAsked.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.False(answer.IsCompleted);
        waits.SetResult();
        Assert.Equal(near + 1, (await answer).Count);
        Assert.Single(parts[near].Asked);
    }

    [Fact]
    public async Task AFailureHereIsToldWithoutAskingElsewhere()
    {
        var failing = Task.FromException(new GranaryException(ErrorKind.Unavailable, "gone"));
        var near = new Part(0, Answer(null)) { IsNear = true, EstimatedPoints = 50_000, Before = failing };
        var far = new Part(1, Answer(null));
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await Coordinator(near, far).QueryAsync(Query, default));
        Assert.Equal(("gone", 0), (error.Message, far.Asked.Count));
    }

    private static QueryRequest Query => new()
    {
        Query = new NearestQuery(new TextInput("word")),
        Using = "text",
        Limit = 3,
        WithVectors = new VectorSelector(true, []), // Points do not come along with hits.
        Read = new ReadOptions { Strong = false },
    };

    private static QueryCoordinator Coordinator(params Part[] parts) => new(
        "c", Fixture.Plain.Schema, PlacementTable.Even(parts.Length), parts, new NoInputs());

    private static LegResult Answer(float? floor, params (ulong Id, float Score)[] hits) =>
        new([.. hits.Select(h => new LegHit(new PointId(h.Id), h.Score))], true) { Floor = floor };

    /// <summary>A partition that gives one answer after the other, and then the last again.</summary>
    private sealed class Part(int number, params LegResult[] answers) : IPartitionSearch
    {
        private readonly TaskCompletionSource _wasAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Number => number;

        public long EstimatedPoints { get; init; } = 50_000;

        public bool IsNear { get; init; }

        public Task Before { get; init; } = Task.CompletedTask;

        public List<PartitionRequest> Asked { get; } = [];

        public Task WasAsked => _wasAsked.Task;

        public async ValueTask<PartitionAnswer> SearchAsync(PartitionRequest request, CancellationToken cancellation)
        {
            Asked.Add(request);
            var answer = answers[Math.Min(Asked.Count, answers.Length) - 1];
            _wasAsked.TrySetResult();
            await Before.WaitAsync(cancellation);
            return new PartitionAnswer(
                [answer], request.Fetch is null ? null : [.. answer.Hits.Select(h => new PointRecord(h.Id, 1))]);
        }

        public ValueTask<StatisticsAnswer> StatisticsAsync(
            StatisticsRequest request, ReadOptions read, CancellationToken cancellation) => new(new StatisticsAnswer(
                [.. request.Texts.Select(t => new TextStatistics(10, 100, ImmutableDictionary<string, long>.Empty.Add("word", 1)))], []));

        public ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
            IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions read, CancellationToken cancellation) =>
            new([.. ids.Select(id => new PointRecord(id, 1))]);

        public ValueTask<long> CountAsync(Filter? filter, bool exact, ReadOptions read, CancellationToken cancellation) =>
            throw new InvalidOperationException(nameof(CountAsync));

        public ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
            string key, Filter? filter, int limit, bool exact, ReadOptions read, CancellationToken cancellation) =>
            throw new InvalidOperationException(nameof(FacetAsync));
    }

    private sealed class NoInputs : IQueryInputs
    {
        public ValueTask<IReadOnlyList<PointRecord>> LookupAsync(
            string collection, IReadOnlyList<PointId> ids, PayloadSelector payload, VectorSelector vectors, ReadOptions read,
            CancellationToken cancellation) => throw new InvalidOperationException(collection);

        public ValueTask<IReadOnlyList<float[]?>> EmbedAsync(
            string? model, IReadOnlyList<string> texts, CancellationToken cancellation) => throw new InvalidOperationException(model);
    }
}
