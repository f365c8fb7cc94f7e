using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Granary.Collections.Catalog;
using Granary.Collections.Ports;

namespace Granary.Collections.Partitions;

/// <summary>One replica of a partition, wherever it is.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Replica">0 to replicas - 1.</param>
public readonly record struct ReplicaKey(PartitionKey Partition, int Replica);

/// <summary>What is to be placed of a collection.</summary>
/// <param name="Incarnation">Names it for ever.</param>
/// <param name="Partitions">How many partitions it has.</param>
/// <param name="Replicas">Replicas of each.</param>
/// <param name="SizeClass">How large its partitions are (<see cref="Catalog.SizeClass"/>).</param>
public readonly record struct PlacedCollection(Guid Incarnation, int Partitions, int Replicas, int SizeClass = 0)
{
    /// <summary>A collection of the catalog.</summary>
    public static PlacedCollection Of(CollectionDocument document) => new(
        document.Incarnation, new PlacementTable(document.Placement).Partitions, Math.Max(1, document.Config.Replicas), document.SizeClass);
}

/// <summary>
/// Which silo holds which replica, the same wherever it is computed: a function of the collections and the names of the active silos, and
/// of nothing else. Rendezvous hashing (Thaler and Ravishankar, 1998) with bounded load (as Mirrokni et al., 2018): of all pairs of a
/// replica and a silo the heaviest that still fits is taken, until every replica has a silo. Replicas of a partition are on different
/// silos; each silo has as many replicas of a collection as any other, or one more or less. The places of a collection of size class 0
/// depend on no other collection. Of larger ones, the silos that are ahead by bytes get none of the replicas that are left over
/// (<see cref="SizeBalance"/>); they are placed in the order of their classes, the largest first. Most replicas stay where they are when a
/// silo comes or goes, or a class changes.
/// </summary>
public sealed class PlacementPlan
{
    private readonly FrozenDictionary<ReplicaKey, string> _silos;
    private readonly FrozenDictionary<string, ImmutableArray<ReplicaKey>> _held;

    private PlacementPlan(Dictionary<ReplicaKey, string> silos, IEnumerable<string> names)
    {
        _silos = silos.ToFrozenDictionary();
        var held = names.ToDictionary(n => n, _ => ImmutableArray.CreateBuilder<ReplicaKey>(), StringComparer.Ordinal);
        foreach (var (replica, silo) in silos)
            held[silo].Add(replica);
        _held = held.ToFrozenDictionary(h => h.Key, h => h.Value.ToImmutable(), StringComparer.Ordinal);
    }

    /// <summary>Every replica that has a silo.</summary>
    public IReadOnlyDictionary<ReplicaKey, string> Silos => _silos;

    /// <summary>Places collections on silos; the order of neither matters.</summary>
    /// <param name="collections">The collections, each once.</param>
    /// <param name="silos">The names of the active silos; with fewer of them than replicas, the last replicas have no place.</param>
    public static PlacementPlan Make(IEnumerable<PlacedCollection> collections, IEnumerable<string> silos)
    {
        string[] names = [.. silos.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var places = new Dictionary<ReplicaKey, string>();
        if (names.Length > 0)
        {
            var all = collections.ToLookup(c => c.SizeClass > 0);
            foreach (var collection in all[false])
                new Placing(collection, names, null).Run(places);
            var balance = new SizeBalance(all[true], names.Length);
            foreach (var collection in all[true].OrderByDescending(c => c.SizeClass).ThenBy(c => c.Incarnation))
                new Placing(collection, names, balance).Run(places);
        }

        return new PlacementPlan(places, names);
    }

    /// <summary>Where a replica belongs; null when there are too few silos for it, or no such replica.</summary>
    public string? SiloOf(PartitionKey partition, int replica) => _silos.GetValueOrDefault(new ReplicaKey(partition, replica));

    /// <summary>What belongs on a silo.</summary>
    public ImmutableArray<ReplicaKey> On(string silo) => _held.GetValueOrDefault(silo, []);

    /// <summary>One collection being placed.</summary>
    private sealed class Placing
    {
        private const int None = -1;
        private readonly PlacedCollection _collection;
        private readonly string[] _names;
        private readonly int _replicas;
        private readonly int[] _silo;
        private readonly int[] _load;
        private readonly bool[] _holds;
        private readonly int _least;
        private readonly SizeBalance? _balance;
        private readonly bool[]? _mayHaveMore;
        private int _oneMore;

        public Placing(PlacedCollection collection, string[] names, SizeBalance? balance)
        {
            (_collection, _names, _balance) = (collection, names, balance);
            _replicas = Math.Min(collection.Replicas, names.Length);
            _silo = new int[collection.Partitions * _replicas];
            Array.Fill(_silo, None);
            _load = new int[names.Length];
            _holds = new bool[collection.Partitions * names.Length];
            (_least, _oneMore) = Math.DivRem(_silo.Length, names.Length);
            _mayHaveMore = balance?.MayHaveMore(collection, _oneMore);
        }

        public void Run(Dictionary<ReplicaKey, string> places)
        {
            var weights = new ulong[_silo.Length * _names.Length];
            var pairs = new int[weights.Length];
            var seeds = Array.ConvertAll(_names, n => Hash(Encoding.UTF8.GetBytes(n), Hash(_collection.Incarnation)));
            for (var i = 0; i < pairs.Length; i++)
            {
                pairs[i] = i;
                // Descending by weight: the heaviest is the smallest complement.
                weights[i] = ~Mix(seeds[i % _names.Length] ^ Mix((ulong)(i / _names.Length / _replicas) << 32
                    | (uint)(i / _names.Length % _replicas)));
            }

            Array.Sort(weights, pairs);
            foreach (var pair in pairs)
            {
                var (item, silo) = (pair / _names.Length, pair % _names.Length);
                if (_silo[item] == None && !Holds(item, silo) && HasRoom(silo))
                    Put(item, silo);
            }

            for (var item = 0; item < _silo.Length; item++)
            {
                if (_silo[item] == None)
                    MakeRoom(item);
            }

            for (var silo = 0; silo < _load.Length; silo++)
            {
                if (_load[silo] > _least)
                    _balance?.AddMore(_collection, silo);
            }

            for (var item = 0; item < _silo.Length; item++)
            {
                places[new ReplicaKey(new PartitionKey(_collection.Incarnation, item / _replicas), item % _replicas)] = _names[_silo[item]];
            }
        }

        /// <remarks>
        /// A silo has room: those that may have more are as many as replicas are left over, at least. Where only silos that hold the
        /// partition have it, one that does not hold it has at least as many replicas as one that has room (else it would have room
        /// itself, or may not have more and has what all have), so it has one whose partition the other lacks: that one moves over.
        /// </remarks>
        private void MakeRoom(int item)
        {
            var to = 0;
            while (!HasRoom(to))
                to++;
            if (!Holds(item, to))
            {
                Put(item, to);
                return;
            }

            var from = 0;
            while (Holds(item, from))
                from++;
            var other = 0;
            while (_silo[other] != from || Holds(other, to))
                other++;
            Take(other, from);
            Put(other, to);
            Put(item, from);
        }

        private bool HasRoom(int silo) =>
            _load[silo] < _least || (_load[silo] == _least && _oneMore > 0 && (_mayHaveMore is null || _mayHaveMore[silo]));

        private bool Holds(int item, int silo) => _holds[(item / _replicas * _names.Length) + silo];

        private void Put(int item, int silo)
        {
            if (_load[silo]++ == _least)
                _oneMore--;
            _silo[item] = silo;
            _holds[(item / _replicas * _names.Length) + silo] = true;
        }

        private void Take(int item, int silo)
        {
            if (--_load[silo] == _least)
                _oneMore++;
            _silo[item] = None;
            _holds[(item / _replicas * _names.Length) + silo] = false;
        }

        private static ulong Hash(Guid incarnation)
        {
            Span<byte> bytes = stackalloc byte[16];
            incarnation.TryWriteBytes(bytes, bigEndian: true, out _);
            return Mix(BinaryPrimitives.ReadUInt64BigEndian(bytes)) ^ BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        }

        /// <summary>FNV-1a over the bytes, then mixed.</summary>
        private static ulong Hash(ReadOnlySpan<byte> bytes, ulong seed)
        {
            var hash = 14695981039346656037 ^ Mix(seed);
            foreach (var b in bytes)
                hash = (hash ^ b) * 1099511628211;
            return Mix(hash);
        }

        /// <summary>The finisher of SplitMix64 (Steele et al., 2014).</summary>
        private static ulong Mix(ulong x)
        {
            x += 0x9E3779B97F4A7C15;
            x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
            return x ^ (x >> 31);
        }
    }
}
