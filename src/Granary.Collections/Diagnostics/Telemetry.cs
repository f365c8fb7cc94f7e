using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Granary.Collections.Diagnostics;

/// <summary>The engine's instruments for System.Diagnostics: meter and activity source are both named <c>Granary</c>.</summary>
public static class Telemetry
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Granary";

    /// <summary>Spans of queries, writes, their parts in partitions, checkpoints and rebuilds.</summary>
    public static ActivitySource Activities { get; } = new(Name);

    /// <summary>The meter all instruments below belong to.</summary>
    public static Meter Meter { get; } = new(Name);

    internal static Counter<long> Logged { get; } =
        Meter.CreateCounter<long>("granary.operations.logged", "{operation}", "Operations appended to a log");

    internal static Counter<long> Applied { get; } =
        Meter.CreateCounter<long>("granary.operations.applied", "{operation}", "Operations applied");

    internal static Counter<long> Failed { get; } =
        Meter.CreateCounter<long>("granary.operations.failed", "{operation}", "Operations passed over");

    internal static Counter<long> Linked { get; } =
        Meter.CreateCounter<long>("granary.rows.linked", "{row}", "Vectors linked into a graph");

    internal static Counter<long> Embedded { get; } =
        Meter.CreateCounter<long>("granary.texts.embedded", "{text}", "Texts embedded in the background");

    internal static Histogram<double> Appends { get; } = Meter.CreateHistogram<double>("granary.append.duration", "ms", "Group commits");

    internal static Histogram<double> Queries { get; } = Meter.CreateHistogram<double>("granary.query.duration", "ms", "Queries");

    internal static Histogram<double> Checkpoints { get; } =
        Meter.CreateHistogram<double>("granary.checkpoint.duration", "ms", "Checkpoints");

    internal static Counter<long> Refused { get; } =
        Meter.CreateCounter<long>("granary.batches.refused", "{batch}", "Batches refused because a queue was full");

    internal static Histogram<double> Phases { get; } = Meter.CreateHistogram<double>(
        "granary.phase.duration", "ms", "Phases of the work, by their name; an operation's share where several were done together");

    internal static Histogram<double> Writes { get; } =
        Meter.CreateHistogram<double>("granary.write.duration", "ms", "Batches of writes, until they are answered");

    internal static Histogram<double> ReplicaCalls { get; } =
        Meter.CreateHistogram<double>("granary.replica.call.duration", "ms", "Calls to replicas that were answered, by what was asked");

    internal static Histogram<double> Renewals { get; } =
        Meter.CreateHistogram<double>("granary.lease.renewal.duration", "ms", "Renewals of a process' leases");

    internal static ReplicaCensus Replicas { get; } = new(Meter);

    /// <summary>What happened to this process as a member of a cluster.</summary>
    public static ClusterEvents Cluster { get; } = new(Meter);

    /// <summary>The partition replicas of this process as they are now.</summary>
    public static ReplicaCounts ReplicaCounts => Replicas.Count();

    /// <summary>Says in a span what went wrong.</summary>
    internal static void Fail(this Activity? activity, Exception error) => activity?.SetStatus(ActivityStatusCode.Error, error.Message);
}
