using System.Collections.Immutable;
using Granary.Collections.Catalog;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;

namespace Granary.Grains.Hosting;

/// <summary>Which silos take part, and which of them should have which replica. The same on every silo that has heard the same.</summary>
internal sealed class ClusterView : ISiloStatusListener
{
    private readonly ISiloStatusOracle _silos;
    private readonly Lock _lock = new();
    private readonly HashSet<SiloAddress> _leaving = [];
    private IReadOnlyList<CollectionDocument> _documents = [];
    private volatile State _state;
    private TaskCompletionSource _changed = NewSource();

    public ClusterView(ISiloStatusOracle silos)
    {
        _silos = silos;
        _state = new State([], [], PlacementPlan.Make([], []), "");
        silos.SubscribeToSiloStatusEvents(this);
        Recompute();
    }

    /// <summary>This silo.</summary>
    public SiloAddress Here => _silos.SiloAddress;

    /// <summary>This silo's name.</summary>
    public string Name => _silos.SiloName;

    /// <summary>The silos that take part: active and not about to leave.</summary>
    public ImmutableArray<SiloAddress> Silos => _state.Silos;

    /// <summary>The silos that are active, those about to leave among them.</summary>
    public ImmutableArray<SiloAddress> Members => _state.Members;

    /// <summary>Whether this silo is handing its partitions over.</summary>
    public bool IsLeaving
    {
        get
        {
            lock (_lock)
                return _leaving.Contains(Here);
        }
    }

    /// <summary>Completes at the next change of silos or collections.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>The silo that should have a replica; null when there are fewer silos than replicas, or the partition is unknown.</summary>
    public SiloAddress? PlaceOf(PartitionKey partition, int replica)
    {
        var state = _state;
        return state.Plan.SiloOf(partition, replica) is { } name ? state.Find(name) : null;
    }

    /// <summary>Which replica of a partition should be here; null for none.</summary>
    public int? NumberHere(PartitionKey partition) => _state.Here.TryGetValue(partition, out var number) ? number : null;

    /// <summary>Whether a replica belongs to another silo, and no other replica of its partition to this one.</summary>
    public bool SendsAway(PartitionKey partition, int replica) =>
        PlaceOf(partition, replica) is { } place && !place.Equals(Here) && NumberHere(partition) is null;

    /// <summary>The replicas that should be here.</summary>
    public IEnumerable<ReplicaKey> PlannedHere() =>
        [.. _state.Here.Select(h => new ReplicaKey(h.Key, h.Value))];

    /// <summary>Uses these collections from now on.</summary>
    public void Use(IReadOnlyList<CollectionDocument> documents)
    {
        lock (_lock)
            _documents = documents;
        Recompute();
    }

    /// <summary>Places nothing on a silo any more; it is about to leave.</summary>
    public void Leave(SiloAddress silo)
    {
        lock (_lock)
            _leaving.Add(silo);
        Recompute();
    }

    /// <inheritdoc/>
    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status) => Recompute();

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Recompute()
    {
        lock (_lock)
        {
            var active = _silos.GetApproximateSiloStatuses(onlyActive: true).Keys.ToHashSet();
            active.Add(Here);
            _leaving.IntersectWith(active);
            var taking = active.Where(s => !_leaving.Contains(s)).OrderBy(s => s.ToParsableString(), StringComparer.Ordinal)
                .ToImmutableArray();
            var members = active.OrderBy(s => s.ToParsableString(), StringComparer.Ordinal).ToImmutableArray();
            _state = new State(members, taking, PlacementPlan.Make(
                _documents.Select(PlacedCollection.Of), taking.Select(s => s.ToParsableString())), Here.ToParsableString());
        }

        Interlocked.Exchange(ref _changed, NewSource()).TrySetResult();
    }

    private sealed class State(
        ImmutableArray<SiloAddress> members, ImmutableArray<SiloAddress> silos, PlacementPlan plan, string here)
    {
        private readonly Dictionary<string, SiloAddress> _byName = silos.ToDictionary(s => s.ToParsableString(), StringComparer.Ordinal);

        public ImmutableArray<SiloAddress> Members { get; } = members;

        public ImmutableArray<SiloAddress> Silos { get; } = silos;

        public PlacementPlan Plan { get; } = plan;

        public IReadOnlyDictionary<PartitionKey, int> Here { get; } = plan.On(here).ToDictionary(r => r.Partition, r => r.Replica);

        public SiloAddress? Find(string name) => _byName.GetValueOrDefault(name);
    }
}
