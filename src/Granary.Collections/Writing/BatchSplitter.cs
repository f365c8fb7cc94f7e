using Granary.Collections.Catalog;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Collections.Writing;

/// <summary>A partition's part of a batch.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Operations">Its operations, in the batch's order.</param>
/// <param name="Count">How many.</param>
public readonly record struct BatchPart(int Partition, ReadOnlyMemory<byte> Operations, int Count);

/// <summary>Splits batches by partition: an operation on a point goes to the point's, one by filter to all.</summary>
public static class BatchSplitter
{
    /// <summary>The parts that are not empty, by partition.</summary>
    /// <exception cref="GranaryException">The operations by filter, of which every partition gets a copy, are too long.</exception>
    public static IReadOnlyList<BatchPart> Split(ReadOnlyMemory<byte> operations, int count, PlacementTable placement)
    {
        if (placement.Partitions == 1)
            return [new BatchPart(0, operations, count)];
        var writers = new OperationWriter?[placement.Partitions];
        var copied = 0L;
        foreach (var bytes in new OperationSequence(operations.Span))
        {
            var view = new OperationView(bytes);
            if ((view.Flags & OperationFlags.ByFilter) == 0)
            {
                (writers[placement.PartitionOf(view.Id)] ??= new OperationWriter()).Append(bytes);
                continue;
            }

            // A small body must not become gigabytes.
            if ((copied += (long)bytes.Length * writers.Length) > OperationWriter.MaxBytes)
                throw GranaryException.BadInput(
                    $"The operations by filter of the batch go to all {writers.Length} partitions and have at least {copied} bytes there; "
                        + $"the limit is {OperationWriter.MaxBytes}");
            for (var p = 0; p < writers.Length; p++)
                (writers[p] ??= new OperationWriter()).Append(bytes);
        }

        var parts = new List<BatchPart>();
        for (var p = 0; p < writers.Length; p++)
        {
            if (writers[p] is { } writer)
            {
                // Detaching empties the writer, its count too.
                var n = writer.Count;
                parts.Add(new BatchPart(p, writer.Detach(), n));
            }
        }

        return parts;
    }
}
