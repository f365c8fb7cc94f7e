using Granary.Collections.Partitions;
using Granary.Collections.Ports;

namespace Granary.Collections.Tests.Cluster;

/// <summary>Random clusters are the same in every run: a plan is a function, and these seeds are.</summary>
public sealed class PlacementBySizeTests
{
    public static TheoryData<int, int> Clusters => new()
    {
        { 2, 3 }, { 3, 5 }, { 3, 20 }, { 3, 60 }, { 5, 20 }, { 5, 60 }, { 8, 20 }, { 8, 60 },
    };

    [Theory]
    [MemberData(nameof(Clusters))]
    public void EveryReplicaHasASiloOfItsOwnAndACollectionIsSpreadEvenly(int silos, int count)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var collections = Mixed(seed, count);
            var plan = PlacementPlan.Make(collections, Names(silos));
            foreach (var collection in collections)
            {
                var replicas = Math.Min(collection.Replicas, silos);
                var loads = new Dictionary<string, int>();
                for (var partition = 0; partition < collection.Partitions; partition++)
                {
                    var places = Places(plan, new PartitionKey(collection.Incarnation, partition), collection.Replicas);
                    Assert.Equal(replicas, places.OfType<string>().Distinct().Count());
                    foreach (var place in places.Take(replicas))
                        loads[place!] = loads.GetValueOrDefault(place!) + 1;
                }

                var (least, more) = Math.DivRem(collection.Partitions * replicas, silos);
                Assert.All(Names(silos), n => Assert.InRange(loads.GetValueOrDefault(n), least, least + 1));
                Assert.Equal(more, loads.Values.Count(l => l > least));
            }
        }
    }

    /// <summary>
    /// 1.25 times the fair share, or the fair share and one replica of the largest class. It is proved where one replica at most is left
    /// over of a collection; otherwise the emptiest silos take some, and these random clusters keep to it as well.
    /// </summary>
    [Theory]
    [MemberData(nameof(Clusters))]
    public void NoSiloHasMuchMoreThanItsShareOfBytes(int silos, int count)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            foreach (var collections in new[] { Single(seed, count), Mixed(seed, count) })
            {
                var loads = Loads(PlacementPlan.Make(collections, Names(silos)), collections, silos);
                var fair = loads.Average();
                Assert.InRange(loads.Max(), fair, Math.Max(1.25 * fair, fair + collections.Max(Size)));
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void AsManyLargeCollectionsAsSilosHaveASiloEach(int silos)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var collections = Enumerable.Range(0, silos).Select(_ => Collection(random, 1, 1, 3)).ToList();
            var plan = PlacementPlan.Make(collections, Names(silos));
            Assert.All(Names(silos), n => Assert.Single(plan.On(n)));
        }
    }

    /// <summary>Two replicas of one large collection cannot be on three silos; all else goes to the third until it has caught up.</summary>
    [Fact]
    public void WhatCannotBeEvenIsMadeUpForByTheRest()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var large = Collection(random, 1, 2, 10);
            var plan = PlacementPlan.Make(
                [large, .. Enumerable.Range(0, 100).Select(_ => Collection(random, 1, 1, 1))], Names(3));
            var key = new PartitionKey(large.Incarnation, 0);
            var third = Names(3).Single(n => n != plan.SiloOf(key, 0) && n != plan.SiloOf(key, 1));
            Assert.Equal(100, plan.On(third).Length);
        }
    }

    /// <summary>Nothing could move less than what the new silo has.</summary>
    [Theory]
    [MemberData(nameof(Clusters))]
    public void ASiloThatComesOrGoesMovesLessThanTwiceItsShare(int silos, int count)
    {
        foreach (var make in new Func<int, int, List<PlacedCollection>>[] { Single, Mixed })
        {
            double joined = 0, left = 0, ideal = 0;
            for (var seed = 0; seed < 60; seed++)
            {
                var collections = make(seed, count);
                var before = PlacementPlan.Make(collections, Names(silos));
                var after = PlacementPlan.Make(collections, Names(silos + 1));
                joined += Moved(before, after, collections);
                left += Moved(after, before, collections);
                ideal += Loads(after, collections, silos + 1)[^1];
            }

            Assert.InRange(joined / ideal, 0, 2);
            Assert.InRange(left / ideal, 0, 2);
        }
    }

    /// <summary>On average over clusters; what moves otherwise is what the collection that grew has no room beside.</summary>
    [Theory]
    [MemberData(nameof(Clusters))]
    public void AClassThatChangesMovesLittle(int silos, int count)
    {
        foreach (var make in new Func<int, int, List<PlacedCollection>>[] { Single, Mixed })
        {
            double moved = 0, changed = 0;
            for (var seed = 0; seed < 60; seed++)
            {
                var collections = make(seed, count);
                var before = PlacementPlan.Make(collections, Names(silos));
                var which = new Random(seed).Next(count);
                var grown = collections.ToList();
                grown[which] = collections[which] with { SizeClass = collections[which].SizeClass + 1 };
                moved += Moved(before, PlacementPlan.Make(grown, Names(silos)), grown);
                changed += Size(grown[which]) * grown[which].Partitions * Math.Min(silos, grown[which].Replicas);
            }

            Assert.InRange(moved / changed, 0, 1.5);
        }
    }

    [Fact]
    public void TheOrderOfSilosAndCollectionsDoesNotMatter()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var collections = Mixed(seed, 30);
            var shuffled = collections.ToArray();
            new Random(seed).Shuffle(shuffled);
            var plan = PlacementPlan.Make(collections, Names(5));
            var other = PlacementPlan.Make(shuffled, Enumerable.Reverse(Names(5)));
            Assert.Equal(plan.Silos.OrderBy(p => p.Key.ToString()), other.Silos.OrderBy(p => p.Key.ToString()));
        }
    }

    [Fact]
    public void SmallCollectionsArePlacedAsIfThereWereNoLargeOnes()
    {
        var random = new Random(1);
        var small = Enumerable.Range(0, 20).Select(_ => Collection(random, 1 + random.Next(4), 2, 0)).ToList();
        var alone = PlacementPlan.Make(small, Names(4));
        var together = PlacementPlan.Make([.. Mixed(2, 20), .. small], Names(4));
        Assert.All(alone.Silos, place => Assert.Equal(place.Value, together.SiloOf(place.Key.Partition, place.Key.Replica)));
    }

    [Fact]
    public void ALargeCollectionAloneIsWhereItWasWhenItWasSmall()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var large = Collection(random, 1 + random.Next(9), 1 + random.Next(3), 5);
            var plan = PlacementPlan.Make([large], Names(4));
            Assert.All(
                PlacementPlan.Make([large with { SizeClass = 0 }], Names(4)).Silos,
                place => Assert.Equal(place.Value, plan.SiloOf(place.Key.Partition, place.Key.Replica)));
        }
    }

    /// <summary>Another release, another machine: the same places. A changed one means that every cluster moves its data.</summary>
    [Fact]
    public void PlacesAreFixed()
    {
        var collections = Enumerable.Range(0, 8).Select(
            i => new PlacedCollection(new Guid(i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 1, 1 + (i % 2), i)).ToList();
        var plan = PlacementPlan.Make(collections, ["one", "two", "three"]);
        var places = string.Join(" ", collections.Select(
            c => string.Join("/", Places(plan, new PartitionKey(c.Incarnation, 0), c.Replicas))));
        Assert.Equal("three two/three three three/two one one/two three one/two", places);
    }

    private static List<string?> Places(PlacementPlan plan, PartitionKey partition, int replicas) =>
        [.. Enumerable.Range(0, replicas).Select(r => plan.SiloOf(partition, r))];

    /// <summary>Bytes on silos that did not have them before; a replica that changes its number stays.</summary>
    private static double Moved(PlacementPlan from, PlacementPlan to, List<PlacedCollection> collections)
    {
        var moved = 0.0;
        foreach (var collection in collections)
        {
            for (var partition = 0; partition < collection.Partitions; partition++)
            {
                var key = new PartitionKey(collection.Incarnation, partition);
                moved += Size(collection) * Places(to, key, collection.Replicas).OfType<string>()
                    .Except(Places(from, key, collection.Replicas).OfType<string>()).Count();
            }
        }

        return moved;
    }

    private static double[] Loads(PlacementPlan plan, List<PlacedCollection> collections, int silos)
    {
        var sizes = collections.ToDictionary(c => c.Incarnation, Size);
        return [.. Names(silos).Select(n => plan.On(n).Sum(r => sizes[r.Partition.Incarnation]))];
    }

    private static double Size(PlacedCollection collection) => 1L << collection.SizeClass;

    private static List<string> Names(int count) => [.. Enumerable.Range(0, count).Select(i => $"silo-{i}")];

    /// <summary>One partition and one replica each, all of one class: what counting within a collection spreads worst.</summary>
    private static List<PlacedCollection> Single(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Collection(random, 1, 1, 2))];
    }

    private static List<PlacedCollection> Mixed(int seed, int count)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(
                _ => Collection(random, 1 << random.Next(4), 1 + random.Next(3), 1 + random.Next(6))),
        ];
    }

    private static PlacedCollection Collection(Random random, int partitions, int replicas, int sizeClass)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new PlacedCollection(new Guid(bytes), partitions, replicas, sizeClass);
    }
}
