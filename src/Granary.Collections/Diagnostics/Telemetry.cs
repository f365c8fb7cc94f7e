using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Granary.Collections.Diagnostics;

/// <summary>The engine's instruments for System.Diagnostics: meter and activity source are both named <c>Granary</c>.</summary>
public static class Telemetry
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Granary";

    /// <summary>Spans of queries, checkpoints and rebuilds.</summary>
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

    internal static ReplicaCensus Replicas { get; } = new(Meter);
}
