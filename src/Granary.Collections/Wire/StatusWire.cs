using System.Collections.Immutable;
using Granary.Collections.Partitions;

namespace Granary.Collections.Wire;

/// <summary>The state of a partition: status, timings, failed operations; all of it as a report; and what waiting came to.</summary>
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

    /// <summary>A report as a message.</summary>
    public static byte[] Encode(PartitionReport report) => WireMessage.Encode(WireKind.Report, report, Write);

    /// <summary>The report of a message.</summary>
    public static PartitionReport DecodeReport(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Report, message, ReadReport);

    /// <summary>What waiting came to, as a message.</summary>
    public static byte[] Encode(WaitResult result) => WireMessage.Encode(WireKind.Wait, result, static (writer, r) =>
    {
        writer.Byte((byte)((r.Reached ? 1 : 0) | (r.Failure is null ? 0 : 2)));
        if (r.Failure is not null)
            WriteFailure(writer, r.Failure);
    });

    /// <summary>What waiting came to, of a message.</summary>
    public static WaitResult DecodeWait(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.Wait, message, static (ref WireReader reader) =>
        {
            var flags = reader.Flags(3);
            return new WaitResult((flags & 1) != 0, (flags & 2) != 0 ? ReadFailure(ref reader) : null);
        });

    /// <summary>Writes a report.</summary>
    public static void Write(WireWriter writer, PartitionReport report)
    {
        Write(writer, report.Status);
        writer.Count(report.PayloadIndexPoints.Count);
        foreach (var (path, points) in report.PayloadIndexPoints)
        {
            writer.String(path);
            writer.Signed(points);
        }

        Write(writer, report.Failures.IsDefault ? [] : report.Failures);
        writer.Bool(report.Recovering);
        ScalarWire.WriteOptional(writer, report.CheckpointError);
        writer.Signed(report.EmbeddingQueue);
        writer.Signed(report.EmbeddingFailures);
        Write(writer, report.Timings.IsDefault ? [] : report.Timings);
    }

    /// <summary>Reads a report.</summary>
    public static PartitionReport ReadReport(ref WireReader reader)
    {
        var status = ReadStatus(ref reader);
        var covered = ImmutableDictionary.CreateBuilder<string, long>();
        for (var left = reader.Count(2); left > 0; left--)
        {
            var path = reader.String();
            if (!covered.TryAdd(path, reader.Signed()))
                throw reader.Damaged($"the payload index '{path}' twice");
        }

        return new PartitionReport(status)
        {
            PayloadIndexPoints = covered.ToImmutable(),
            Failures = [.. ReadFailures(ref reader)],
            Recovering = reader.Bool(),
            CheckpointError = ScalarWire.ReadOptionalString(ref reader),
            EmbeddingQueue = reader.Signed(),
            EmbeddingFailures = reader.Signed(),
            Timings = [.. ReadTimings(ref reader)],
        };
    }

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
            WriteFailure(writer, failure);
    }

    /// <summary>Reads failed operations.</summary>
    public static FailedOperation[] ReadFailures(ref WireReader reader) => reader.Array(6, ReadFailure);

    private static void WriteFailure(WireWriter writer, FailedOperation failure)
    {
        writer.Signed(failure.Partition);
        writer.Signed(failure.Operation);
        ScalarWire.WriteOptional(writer, failure.Point);
        writer.String(failure.Reason);
        ScalarWire.WriteInstant(writer, failure.At);
    }

    private static FailedOperation ReadFailure(ref WireReader reader) => new(
        reader.Int(), reader.Signed(), ScalarWire.ReadOptionalString(ref reader), reader.String(), ScalarWire.ReadInstant(ref reader));
}
