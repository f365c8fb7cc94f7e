using System.Collections.Immutable;
using System.Globalization;
using Granary.Collections.Catalog;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Querying;
using Granary.Collections.Searching;
using Granary.Collections.Tests.Cluster;
using Granary.Collections.Tests.Support;
using Granary.Collections.Wire;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Querying;

/// <summary>
/// Partitions of a collection share the score below which hits are of no interest, or are told a guess of it: the answers are those of
/// one partition, wherever the partitions are and however many are asked again.
/// </summary>
public sealed class SharedFloorTests
{
    private const int Points = 6_000;
    private const int Partitions = 8;

    [Fact]
    public async Task AnswersAreThoseOfOnePartition()
    {
        await using var one = await Fixture.CreateAsync(Fixture.Plain);
        var storage = new MemoryStorage();
        var cluster = new TestCluster(storage, new TestPartitionOptions { Replicas = 1 });
        await using var many = await Fixture.CreateAsync(Fixture.Plain with { Partitions = Partitions }, storage: storage, host: cluster);
        foreach (var fixture in new[] { one, many })
            await FillAsync(fixture);
        var expected = new List<IReadOnlyList<ScoredPoint>>();
        foreach (var query in Queries())
            expected.Add(await one.Collection.QueryAsync(query));
        for (var near = 0; near <= Partitions; near += near < 2 ? 1 : 3)
        {
            for (var p = 0; p < Partitions; p++)
                cluster.Partitions[p].Ports[0].IsHere = p < near;
            Silo[] silos = [new(), new()];
            var places = cluster.Partitions.Select((p, i) => new Place(p.Remote.Search, i < near ? null : silos[i % 2])).ToImmutableArray();
            foreach (var silo in silos)
                silo.Places = places;
            var coordinator = new QueryCoordinator(
                "c", Fixture.Plain.Schema, PlacementTable.Even(Partitions), [.. places], new NoInputs());
            var all = Queries().ToList();
            for (var i = 0; i < all.Count; i++)
            {
                // The second time the statistics of the texts are known.
                for (var time = 0; time < 2; time++)
                {
                    var actual = await coordinator.QueryAsync(all[i], default);
                    Assert.Equal(expected[i].Select(h => (h.Id, h.Score)), actual.Select(h => (h.Id, h.Score)));
                }
            }

            // Those elsewhere were told a guess where there was a sample; it was too high now and then, and they were asked again.
            var (told, again) = (places.Sum(p => p.Told), places.Max(p => p.Asked) - (2 * all.Count));
            Assert.True(near is 0 or Partitions || told > 0, $"{told} guesses told to all but {near}");
            Assert.True(again < all.Count, $"{again} times asked again for {all.Count} queries");
            Assert.True(near > 5 || silos.Sum(s => s.Shared) > 0, $"{silos.Sum(s => s.Shared)} messages shared");
        }
    }

    [Fact]
    public async Task ManyPointsHereDoNotKeepThoseElsewhereWaiting()
    {
        var storage = new MemoryStorage();
        var cluster = new TestCluster(storage, new TestPartitionOptions { Replicas = 1 });
        await using var fixture = await Fixture.CreateAsync(Fixture.Plain with { Partitions = 2 }, storage: storage, host: cluster);
        var batch = new WriteBatch();
        for (ulong id = 0; id < 200; id++)
            batch.Upsert(id, payload: $$"""{"text":"w{{id % 3}} w3"}""");
        await fixture.Collection.WriteAsync(batch, Batches.Wait);
        cluster.Partitions[0].Ports[0].IsHere = true;
        cluster.Partitions[1].Ports[0].IsHere = false;
        var silo = new Silo();
        var here = new Place(cluster.Partitions[0].Remote.Search, null);
        var elsewhere = new Place(cluster.Partitions[1].Remote.Search, silo);
        silo.Places = [here, elsewhere];
        var before = -1;
        here.Answered = () => before = elsewhere.Asked;
        var coordinator = new QueryCoordinator("c", Fixture.Plain.Schema, PlacementTable.Even(2), [here, elsewhere], new NoInputs());
        var hits = await coordinator.QueryAsync(Queries().First() with { Query = new NearestQuery(new TextInput("w1 w3")) }, default);
        Assert.NotEmpty(hits);
        Assert.Equal(1, before);
    }

    private static async Task FillAsync(Fixture fixture)
    {
        var random = new Random(3);
        for (ulong from = 0; from < Points; from += 2_000)
        {
            var batch = new WriteBatch();
            for (var id = from; id < from + 2_000; id++)
                batch.Upsert(id, payload: Payload(random, id));
            await fixture.Collection.WriteAsync(batch, Batches.Wait);
        }

        // Older versions, and points that are gone, have scores that must not count.
        var changes = new WriteBatch();
        for (ulong id = 0; id < Points; id += 3)
            changes.Upsert(id, payload: Payload(random, id));
        for (ulong id = 1; id < Points; id += 7)
            changes.Delete(id);
        for (ulong id = 2; id < Points; id += 11)
            changes.SetPayload(id, """{"group":3}""");
        await fixture.Collection.WriteAsync(changes, Batches.Wait);
        Assert.True(await fixture.Collection.WaitAsync());
    }

    private static string Payload(Random random, ulong id) => $$"""{"text":"{{Words(random, 3, 30)}}","group":{{id % 5}}}""";

    private static IEnumerable<QueryRequest> Queries()
    {
        var random = new Random(6);
        for (var i = 0; i < 60; i++)
        {
            var every = i % 6 == 5;
            var words = new TextInput(Words(random, 1, every ? 3 : 24)) { Options = every ? """{"operator":"and"}""" : null };
            yield return new QueryRequest
            {
                Query = new NearestQuery(words),
                Using = "text",
                Limit = (i % 4) switch { 0 => 1, 1 => 50, _ => 10 },
                Offset = i % 7 == 3 ? 5 : 0,
                Filter = i % 3 == 1 ? Batches.Has("group", i % 5) : null,
                ScoreThreshold = i % 5 == 2 ? random.Next(4, 12) : null,
                Read = new ReadOptions { Strong = false },
            };
        }
    }

    private static string Words(Random random, int least, int most) => string.Join(
        ' ', Enumerable.Range(0, random.Next(least, most)).Select(_ => "w" + ((int)(400 * Math.Pow(random.NextDouble(), 3)))
            .ToString(CultureInfo.InvariantCulture)));

    /// <summary>A partition that says where it is, and that it is large.</summary>
    private sealed class Place(IPartitionSearch inner, Silo? silo) : IPartitionSearch
    {
        private int _asked;
        private int _told;

        public int Asked => _asked;

        /// <summary>What happens when one here has answered.</summary>
        public Action? Answered { get; set; }

        /// <summary>How often it was told a score.</summary>
        public int Told => _told;

        public int Number => inner.Number;

        public long EstimatedPoints => 1_000_000;

        public bool IsNear => silo is null;

        public async ValueTask<PartitionAnswer> SearchAsync(PartitionRequest request, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _asked);
            if (silo is null)
            {
                var answer = await inner.SearchAsync(request, cancellation);
                Answered?.Invoke();
                return answer;
            }

            if (request.Legs[0] is TextLeg { Floor.Value: > float.NegativeInfinity })
                Interlocked.Increment(ref _told);
            var call = new BurstCall(
                new PartitionKey(default, Number), ReplicaCall.Search, SearchWire.Encode(request),
                () => throw new InvalidOperationException("alone"), cancellation);
            return SearchWire.DecodeAnswer(await CallBurst.Current!.Add(silo, call));
        }

        public ValueTask<PartitionAnswer> AnswerAsync(PartitionRequest request) => inner.SearchAsync(request, default);

        public ValueTask<StatisticsAnswer> StatisticsAsync(
            StatisticsRequest request, ReadOptions read, CancellationToken cancellation) =>
            inner.StatisticsAsync(request, read, cancellation);

        public ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
            IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions read, CancellationToken cancellation) =>
            inner.FetchAsync(ids, selection, read, cancellation);

        public ValueTask<long> CountAsync(Filter? filter, bool exact, ReadOptions read, CancellationToken cancellation) =>
            inner.CountAsync(filter, exact, read, cancellation);

        public ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
            string key, Filter? filter, int limit, bool exact, ReadOptions read, CancellationToken cancellation) =>
            inner.FacetAsync(key, filter, limit, exact, read, cancellation);
    }

    /// <summary>Answers what comes in one message as a silo does.</summary>
    private sealed class Silo : ICallCarrier
    {
        private int _shared;

        /// <summary>Messages whose searches shared a floor.</summary>
        public int Shared => _shared;

        public ImmutableArray<Place> Places { get; set; }

        public void Send(IReadOnlyList<BurstCall> calls) => _ = AnswerAsync(calls);

        private async Task AnswerAsync(IReadOnlyList<BurstCall> calls)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var shared = SharedSearches.TryShare([.. calls.Select(c => c.Request)]);
            if (shared is not null)
                Interlocked.Increment(ref _shared);
            for (var i = 0; i < calls.Count; i++)
            {
                try
                {
                    var request = shared?[i] ?? SearchWire.DecodeRequest(calls[i].Request);
                    calls[i].SetResult(SearchWire.Encode(await Places[calls[i].Partition.Number].AnswerAsync(request)));
                }
                catch (Exception e)
                {
                    calls[i].SetException(e);
                }
            }
        }
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
