using System.Collections.Immutable;
using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Cluster;

/// <summary>How a <see cref="TestPartition"/> is put together.</summary>
internal sealed record TestPartitionOptions
{
    public CollectionConfig Config { get; init; } = Fixture.Plain;

    public int Replicas { get; init; } = 2;

    /// <summary>The clock of leases and of those who wait for them; the storage must have the same.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>So long that nothing runs out because a machine is slow; tests of leases have a clock of their own.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Makes a bell that loses, repeats and reorders; null for one that does not.</summary>
    public int? BellSeed { get; init; }

    public TextEmbedder? Embedder { get; init; }

    public RemotePartitionOptions Remote { get; init; } = new();
}

/// <summary>One partition as a cluster has it, each part reached through ports, in one process: a leader, replicas, who reads it.</summary>
internal sealed class TestPartition : IAsyncDisposable
{
    private readonly MemoryStorage _storage;
    private readonly TestPartitionOptions _options;
    private readonly List<PartitionLeader> _leaders = [];

    private TestPartition(MemoryStorage storage, PartitionKey key, TestPartitionOptions options)
    {
        (_storage, Key, _options) = (storage, key, options);
        for (var i = 0; i < options.Replicas; i++)
        {
            Ports.Add(new FakeReplica());
            Storages.Add(new FakeStorage(storage));
            LeaseStores.Add(new FakeLeases(storage.Leases));
            Leases.Add(new ReplicaLeases(LeaseStores[i], options.Time, options.Lease));
        }

        Holders = new FakeLeases(storage.Leases);
        Remote = Reach([.. Ports]);
        Remote.Use(options.Config);
    }

    public PartitionKey Key { get; }

    public FakeLeader Leader { get; } = new();

    public List<FakeReplica> Ports { get; } = [];

    public List<FakeStorage> Storages { get; } = [];

    public List<FakeLeases> LeaseStores { get; } = [];

    public List<ReplicaLeases> Leases { get; } = [];

    /// <summary>Where those who wait look who holds leases.</summary>
    public FakeLeases Holders { get; }

    /// <summary>The partition from a process that has nothing of it.</summary>
    public RemotePartition Remote { get; }

    public static async Task<TestPartition> StartAsync(
        MemoryStorage storage, TestPartitionOptions? options = null, PartitionKey? key = null, IndexSchema? schema = null)
    {
        options ??= new TestPartitionOptions();
        var partition = new TestPartition(storage, key ?? new PartitionKey(Guid.NewGuid(), 0), options);
        partition.Leader.Target = await partition.OpenLeaderAsync();
        for (var i = 0; i < options.Replicas; i++)
            partition.StartReplica(i, schema);
        foreach (var port in partition.Ports)
            await port.Target!.WaitServingAsync(default);
        return partition;
    }

    /// <summary>The partition reached through these ports only.</summary>
    public RemotePartition Reach(params IReplicaPort[] ports) =>
        new(Key, Leader, ports, Holders, _options.Remote, _options.Time);

    /// <summary>One more leader, which fences the others; nobody is sent to it.</summary>
    public async Task<PartitionLeader> OpenLeaderAsync(TimeProvider? time = null)
    {
        IFeed feed = new Bells(this);
        if (_options.BellSeed is { } seed)
            feed = new FaultyFeed(feed, seed + _leaders.Count);
        var leader = await PartitionLeader.OpenAsync(
            _storage, Key, _options.Config.Ingestion, feed, new PhaseTimings(), time ?? TimeProvider.System, default);
        _leaders.Add(leader);
        return leader;
    }

    /// <summary>Starts a replica's engine; the one before is not disposed.</summary>
    public PartitionReplica StartReplica(int number, IndexSchema? schema = null) => Ports[number].Target = PartitionReplica.Start(
        new ReplicaOptions
        {
            Storage = Storages[number],
            Key = Key,
            Replica = number,
            InitialSchema = schema ?? _options.Config.Schema,
            Config = _options.Config,
            Leader = Leader,
            Leases = Leases[number],
            TakesCheckpoints = number == 0,
            Embedder = number == 0 ? _options.Embedder : null,
        });

    public async ValueTask DisposeAsync()
    {
        foreach (var port in Ports)
        {
            if (port.Target is { } replica)
                await replica.DisposeAsync();
        }

        foreach (var leases in Leases)
            await leases.DisposeAsync();
        foreach (var leader in _leaders)
            await leader.DisposeAsync();
    }

    private sealed class Bells(TestPartition owner) : IFeed
    {
        public void Ring(long firstOperation, long lastOperation)
        {
            foreach (var port in owner.Ports)
                port.Target?.Bell(lastOperation);
        }
    }
}

/// <summary>A host whose partitions are all reached through ports.</summary>
internal sealed class TestCluster(MemoryStorage storage, TestPartitionOptions options) : IPartitionHost
{
    /// <summary>The partitions of the collection opened last.</summary>
    public ImmutableArray<TestPartition> Partitions { get; private set; } = [];

    public bool OwnsStorage => true;

    public async ValueTask<IPartitionSet> OpenAsync(
        string name, Granary.Collections.Catalog.CollectionDocument document, PhaseTimings timings, CancellationToken cancellation)
    {
        var count = new Granary.Collections.Catalog.PlacementTable(document.Placement).Partitions;
        var partitions = new TestPartition[count];
        for (var i = 0; i < count; i++)
        {
            partitions[i] = await TestPartition.StartAsync(
                storage, options with { Config = document.Config }, new PartitionKey(document.Incarnation, i), document.InitialSchema);
        }

        Partitions = [.. partitions];
        return new Set(Partitions);
    }

    private sealed class Set(ImmutableArray<TestPartition> partitions) : IPartitionSet
    {
        public ImmutableArray<IPartition> Partitions { get; } = [.. partitions.Select(p => p.Remote)];

        public void Use(CollectionConfig config)
        {
            foreach (var partition in partitions)
            {
                partition.Remote.Use(config);
                if (partition.Leader.Target is { } leader)
                    leader.Settings = config.Ingestion;
                foreach (var port in partition.Ports)
                    port.Target?.Use(config);
            }
        }

        public async ValueTask DrainAsync(CancellationToken cancellation)
        {
            foreach (var replica in partitions.SelectMany(p => p.Ports).Select(p => p.Target).OfType<PartitionReplica>())
                await replica.DrainAsync(cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var partition in partitions)
                await partition.DisposeAsync();
        }
    }
}
