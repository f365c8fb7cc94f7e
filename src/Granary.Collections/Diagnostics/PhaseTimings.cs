using System.Collections.Immutable;

namespace Granary.Collections.Diagnostics;

/// <summary>How long a collection's operations spend in each phase.</summary>
public sealed class PhaseTimings
{
    /// <summary>Parsing a request's body, as the host measured it.</summary>
    public PhaseHistogram Parse { get; } = new("parse");

    /// <summary>One group commit of the log.</summary>
    public PhaseHistogram Append { get; } = new("append");

    /// <summary>From the ring of a writer's doorbell to the operations applied by a replica that heard it, in a cluster.</summary>
    public PhaseHistogram Bell { get; } = new("bell");

    /// <summary>Applying one operation.</summary>
    public PhaseHistogram Apply { get; } = new("apply");

    /// <summary>Linking one row into a graph.</summary>
    public PhaseHistogram Link { get; } = new("link");

    /// <summary>One embedding call.</summary>
    public PhaseHistogram Embed { get; } = new("embed");

    /// <summary>Freezing the image of one checkpoint: for so long nothing is applied.</summary>
    public PhaseHistogram Freeze { get; } = new("freeze");

    /// <summary>Writing one checkpoint.</summary>
    public PhaseHistogram Checkpoint { get; } = new("checkpoint");

    /// <summary>From the log to the graph, per operation.</summary>
    public PhaseHistogram Lag { get; } = new("lag");

    /// <summary>All phases, in the order data passes through them.</summary>
    public ImmutableArray<PhaseTiming> Snapshot() =>
    [
        Parse.Snapshot(), Append.Snapshot(), Bell.Snapshot(), Apply.Snapshot(), Link.Snapshot(), Embed.Snapshot(), Freeze.Snapshot(),
        Checkpoint.Snapshot(), Lag.Snapshot(),
    ];

    /// <summary>
    /// Snapshots of several places as one: counts and totals are summed, the percentiles are those of the worst place (percentiles do not
    /// add up).
    /// </summary>
    public static ImmutableArray<PhaseTiming> Merge(IReadOnlyList<ImmutableArray<PhaseTiming>> snapshots)
    {
        var filled = snapshots.Where(s => !s.IsDefaultOrEmpty).ToList();
        if (filled.Count == 1)
            return filled[0];
        return
        [
            .. filled[0].Select(phase =>
            {
                var same = filled.SelectMany(s => s).Where(p => p.Phase == phase.Phase).ToList();
                return new PhaseTiming(
                    phase.Phase, same.Sum(p => p.Count), same.Sum(p => p.TotalMicroseconds), same.Max(p => p.P50Microseconds),
                    same.Max(p => p.P95Microseconds), same.Max(p => p.P99Microseconds));
            }),
        ];
    }
}
