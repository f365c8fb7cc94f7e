using System.Collections.Immutable;
using System.Diagnostics.Metrics;

namespace Granary.Collections.Diagnostics;

/// <summary>Counts what a process does because it is one of several: since its start, for meters and for <c>/metrics</c> alike.</summary>
public sealed class ClusterEvents
{
    internal ClusterEvents(Meter meter)
    {
        Hedges = new Event("hedge");
        Failovers = new Event("failover");
        Moves = new Event("move");
        RenewalsFailed = new Event("renewal_failed");
        Reopenings = new Event("writer_reopened");
        All = [Hedges, Failovers, Moves, RenewalsFailed, Reopenings];
        Count("granary.hedges", "{request}", "Requests that were sent to a second replica since the first was slow", Hedges);
        Count("granary.failovers", "{request}", "Requests that another replica was asked since one failed", Failovers);
        Count("granary.moves", "{replica}", "Replicas let go here once another silo had them warm", Moves);
        Count("granary.lease.renewals.failed", "{renewal}", "Renewals of leases that failed or took too long", RenewalsFailed);
        Count("granary.writers.reopened", "{writer}", "Logs opened again since another writer had fenced this one", Reopenings);

        void Count(string name, string unit, string description, Event counted) =>
            meter.CreateObservableCounter(name, () => counted.Total, unit, description);
    }

    /// <summary>All of them.</summary>
    public ImmutableArray<Event> All { get; }

    internal Event Hedges { get; }

    internal Event Failovers { get; }

    internal Event Moves { get; }

    internal Event RenewalsFailed { get; }

    internal Event Reopenings { get; }

    /// <summary>How often one thing happened.</summary>
    public sealed class Event
    {
        private long _total;

        internal Event(string name) => Name = name;

        /// <summary>Its name.</summary>
        public string Name { get; }

        /// <summary>How often, since the process began.</summary>
        public long Total => Volatile.Read(ref _total);

        internal void Add() => Interlocked.Increment(ref _total);
    }
}
