namespace Granary.Collections.Wire;

/// <summary>The state of a partition: status, timings, failed operations.</summary>
public static class StatusWire
{
    /// <summary>A status as a message.</summary>
    public static byte[] Encode(PartitionStatus status) => WireMessage.Encode(WireKind.Status, status, Write);

    /// <summary>The status of a message.</summary>
    public static PartitionStatus DecodeStatus(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Status, message, ReadStatus);

    /// <summary>Timings as a message.</summary>
    public static byte[] Encode(IReadOnlyList<PhaseTiming> timings) => WireMessage.Encode(WireKind.Timings, timings, Write);

    /// <summary>The timings of a message.</summary>
    public static PhaseTiming[] DecodeTimings(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Timings, message, ReadTimings);

    /// <summary>Failed operations as a message.</summary>
    public static byte[] Encode(IReadOnlyList<FailedOperation> failures) => WireMessage.Encode(WireKind.Failures, failures, Write);

    /// <summary>The failed operations of a message.</summary>
    public static FailedOperation[] DecodeFailures(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.Failures, message, ReadFailures);

    /// <summary>Writes a status.</summary>
    public static void Write(WireWriter writer, PartitionStatus status)
    {
        writer.Signed(status.Number);
        writer.Signed(status.Logged);
        writer.Signed(status.Applied);
        writer.Signed(status.Linked);
        writer.Signed(status.Checkpointed);
        writer.Signed(status.Capacity);
        writer.Double(status.LagMilliseconds);
        writer.Signed(status.Points);
        writer.Signed(status.Vectors);
        writer.Signed(status.IndexedVectors);
        writer.Signed(status.LogBytes);
        writer.Signed(status.IndexBytes);
        writer.Signed(status.Failed);
        ScalarWire.WriteOptional(writer, status.Fault);
        ScalarWire.WriteOptional(writer, status.RecoveryNote);
    }

    /// <summary>Reads a status.</summary>
    public static PartitionStatus ReadStatus(ref WireReader reader) => new()
    {
        Number = reader.Int(),
        Logged = reader.Signed(),
        Applied = reader.Signed(),
        Linked = reader.Signed(),
        Checkpointed = reader.Signed(),
        Capacity = reader.Int(),
        LagMilliseconds = reader.Double(),
        Points = reader.Signed(),
        Vectors = reader.Signed(),
        IndexedVectors = reader.Signed(),
        LogBytes = reader.Signed(),
        IndexBytes = reader.Signed(),
        Failed = reader.Signed(),
        Fault = ScalarWire.ReadOptionalString(ref reader),
        RecoveryNote = ScalarWire.ReadOptionalString(ref reader),
    };

    /// <summary>Writes timings behind their number.</summary>
    public static void Write(WireWriter writer, IReadOnlyList<PhaseTiming> timings)
    {
        writer.Count(timings.Count);
        foreach (var timing in timings)
        {
            writer.String(timing.Phase);
            writer.Signed(timing.Count);
            writer.Double(timing.TotalMicroseconds);
            writer.Double(timing.P50Microseconds);
            writer.Double(timing.P95Microseconds);
            writer.Double(timing.P99Microseconds);
        }
    }

    /// <summary>Reads timings.</summary>
    public static PhaseTiming[] ReadTimings(ref WireReader reader) => reader.Array(34, static (ref WireReader r) =>
        new PhaseTiming(r.String(), r.Signed(), r.Double(), r.Double(), r.Double(), r.Double()));

    /// <summary>Writes failed operations behind their number.</summary>
    public static void Write(WireWriter writer, IReadOnlyList<FailedOperation> failures)
    {
        writer.Count(failures.Count);
        foreach (var failure in failures)
        {
            writer.Signed(failure.Partition);
            writer.Signed(failure.Operation);
            ScalarWire.WriteOptional(writer, failure.Point);
            writer.String(failure.Reason);
            ScalarWire.WriteInstant(writer, failure.At);
        }
    }

    /// <summary>Reads failed operations.</summary>
    public static FailedOperation[] ReadFailures(ref WireReader reader) => reader.Array(6, static (ref WireReader r) =>
        new FailedOperation(r.Int(), r.Signed(), ScalarWire.ReadOptionalString(ref r), r.String(), ScalarWire.ReadInstant(ref r)));
}
