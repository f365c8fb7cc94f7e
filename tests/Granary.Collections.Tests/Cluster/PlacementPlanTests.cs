using Granary.Collections.Partitions;
using Granary.Collections.Ports;

namespace Granary.Collections.Tests.Cluster;

public sealed class PlacementPlanTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 1, 1, 3 }, { 1, 3, 3 }, { 2, 2, 3 }, { 3, 2, 3 }, { 5, 2, 4 }, { 6, 2, 3 }, { 8, 2, 4 }, { 12, 3, 5 }, { 64, 2, 5 },
        { 7, 3, 4 }, { 100, 3, 10 }, { 4, 5, 3 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EveryReplicaHasASiloOfItsOwnAndEachSiloAsManyAsTheOthersOrOneMore(int partitions, int replicas, int silos)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var collection = Collection(seed, partitions, replicas);
            var names = Silos(silos);
            var plan = PlacementPlan.Make([collection], names);
            var placed = Math.Min(replicas, silos);
            for (var partition = 0; partition < partitions; partition++)
            {
                var key = new PartitionKey(collection.Incarnation, partition);
                var places = Enumerable.Range(0, replicas).Select(r => plan.SiloOf(key, r)).ToList();
                Assert.All(places.Take(placed), Assert.NotNull);
                Assert.All(places.Skip(placed), Assert.Null);
                Assert.Equal(placed, places.OfType<string>().Distinct().Count());
            }

            var loads = names.Select(n => plan.On(n).Length).ToList();
            Assert.Equal(partitions * placed, loads.Sum());
            Assert.InRange(loads.Max() - loads.Min(), 0, 1);
            Assert.All(names, n => Assert.All(plan.On(n), r => Assert.Equal(n, plan.SiloOf(r.Partition, r.Replica))));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ASiloThatComesOrGoesMovesLittleMoreThanItsOwnShare(int partitions, int replicas, int silos)
    {
        const int rounds = 30;
        int joined = 0, left = 0, shareOfNew = 0, shareOfOld = 0;
        for (var seed = 0; seed < rounds; seed++)
        {
            var collection = Collection(seed, partitions, replicas);
            var before = PlacementPlan.Make([collection], Silos(silos));
            var more = PlacementPlan.Make([collection], Silos(silos + 1));
            joined += Moved(before, more);
            shareOfNew += more.On($"silo-{silos}").Length;
            left += Moved(more, before);
            shareOfOld += more.On($"silo-{silos}").Length;
        }

        // Nothing could move less than the share of the silo that came or went.
        Assert.InRange(joined, 0, (shareOfNew * 1.6) + rounds);
        Assert.InRange(left, 0, (shareOfOld * 1.6) + rounds);
    }

    [Fact]
    public void TheOrderOfSilosAndCollectionsDoesNotMatter()
    {
        var collections = Enumerable.Range(0, 10).Select(i => Collection(i, i + 1, 2)).ToList();
        var plan = PlacementPlan.Make(collections, ["b", "a", "c"]);
        var other = PlacementPlan.Make(Enumerable.Reverse(collections), ["c", "b", "a", "a"]);
        Assert.Equal(plan.Silos.OrderBy(p => p.Key.ToString()), other.Silos.OrderBy(p => p.Key.ToString()));
    }

    [Fact]
    public void ACollectionStaysWhereItIsWhenOthersComeAndGo()
    {
        var collections = Enumerable.Range(0, 10).Select(i => Collection(i, 4, 2)).ToList();
        var all = PlacementPlan.Make(collections, Silos(5));
        var some = PlacementPlan.Make(collections.Skip(3), Silos(5));
        Assert.All(some.Silos, place => Assert.Equal(place.Value, all.SiloOf(place.Key.Partition, place.Key.Replica)));
    }

    [Fact]
    public void ManySmallCollectionsSpreadOverTheSilos()
    {
        var plan = PlacementPlan.Make(Enumerable.Range(0, 300).Select(i => Collection(i, 1, 1)), Silos(3));
        Assert.All(Silos(3), s => Assert.InRange(plan.On(s).Length, 70, 130));
    }

    /// <summary>Another release, another machine: the same places. A changed one means that every cluster moves its data.</summary>
    [Fact]
    public void PlacesAreFixed()
    {
        var collection = new PlacedCollection(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 6, 2);
        var plan = PlacementPlan.Make([collection], ["one", "two", "three"]);
        var places = string.Join(" ", Enumerable.Range(0, 6).Select(p =>
        {
            var key = new PartitionKey(collection.Incarnation, p);
            return $"{plan.SiloOf(key, 0)}/{plan.SiloOf(key, 1)}";
        }));
        Assert.Equal("two/three three/two two/one one/three three/one two/one", places);
    }

    [Fact]
    public void WithoutSilosNothingIsPlaced()
    {
        var collection = Collection(1, 3, 2);
        var plan = PlacementPlan.Make([collection], []);
        Assert.Empty(plan.Silos);
        Assert.Null(plan.SiloOf(new PartitionKey(collection.Incarnation, 0), 0));
        Assert.Empty(plan.On("silo-0"));
    }

    private static int Moved(PlacementPlan from, PlacementPlan to) => to.Silos.Count(
        p => from.SiloOf(p.Key.Partition, p.Key.Replica) is { } silo && silo != p.Value);

    private static List<string> Silos(int count) => [.. Enumerable.Range(0, count).Select(i => $"silo-{i}")];

    private static PlacedCollection Collection(int seed, int partitions, int replicas)
    {
        var bytes = new byte[16];
        new Random(seed).NextBytes(bytes);
        return new PlacedCollection(new Guid(bytes), partitions, replicas);
    }
}
