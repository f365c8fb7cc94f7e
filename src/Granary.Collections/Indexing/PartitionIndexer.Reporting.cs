using System.Collections.Immutable;
using Granary.Collections.Partitions;

namespace Granary.Collections.Indexing;

public sealed partial class PartitionIndexer
{
    /// <summary>The replica's state. What only the writer knows (logged, bytes of the log) is as far as it is applied here.</summary>
    public PartitionReport Report()
    {
        var statistics = Statistics();
        // Linked is read before applied, so that the depth is never negative.
        var linked = Linked.Value;
        var applied = Applied.Value;
        var status = new PartitionStatus
        {
            Number = Key.Number,
            Logged = applied,
            Applied = applied,
            Linked = linked,
            Checkpointed = Checkpointed,
            LagMilliseconds = linked >= applied ? 0 : Lag.TotalMilliseconds,
            Points = statistics.Points,
            Vectors = statistics.Vectors,
            IndexedVectors = statistics.IndexedVectors,
            IndexBytes = statistics.VectorBytes,
            Failed = Failed,
            Fault = Fault?.Message,
            RecoveryNote = RecoveryNote,
        };
        return new PartitionReport(status)
        {
            PayloadIndexPoints = statistics.PayloadIndexPoints.ToImmutableDictionary(StringComparer.Ordinal),
            Failures = [.. Failures],
            Recovering = Recovering,
            CheckpointError = CheckpointError,
        };
    }
}
