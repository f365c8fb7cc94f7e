using System.Collections.Immutable;
using Granary.Index;

namespace Granary.Collections.Catalog;

/// <summary>A run of placement slots that a partition owns, both ends included.</summary>
/// <param name="First">The first slot.</param>
/// <param name="Last">The last slot.</param>
/// <param name="Partition">The owner.</param>
public sealed record SlotRange(int First, int Last, int Partition);

/// <summary>Which partition owns each of the <see cref="PointId.PlacementSlots"/> placement slots.</summary>
public sealed class PlacementTable
{
    private readonly ushort[] _owner = new ushort[PointId.PlacementSlots];

    /// <summary>A table as the catalog holds it.</summary>
    /// <exception cref="GranaryException">A slot has no owner or two.</exception>
    public PlacementTable(ImmutableArray<SlotRange> ranges)
    {
        Ranges = ranges;
        var expected = 0;
        foreach (var range in ranges.OrderBy(r => r.First))
        {
            if (range.First != expected || range.Last < range.First || range.Last >= _owner.Length || range.Partition < 0)
                throw new GranaryException(ErrorKind.Corrupted, $"The placement table is broken at slot {expected}.");
            for (var slot = range.First; slot <= range.Last; slot++)
                _owner[slot] = checked((ushort)range.Partition);
            expected = range.Last + 1;
            Partitions = Math.Max(Partitions, range.Partition + 1);
        }

        if (expected != _owner.Length)
            throw new GranaryException(ErrorKind.Corrupted, $"The placement table ends at slot {expected} of {_owner.Length}.");
    }

    /// <summary>The runs of slots.</summary>
    public ImmutableArray<SlotRange> Ranges { get; }

    /// <summary>How many partitions there are.</summary>
    public int Partitions { get; }

    /// <summary>The partition a point belongs to.</summary>
    public int PartitionOf(PointId id) => Partitions == 1 ? 0 : _owner[id.PlacementSlot];

    /// <summary>Equal runs of slots for a new collection.</summary>
    public static PlacementTable Even(int partitions)
    {
        const int slots = PointId.PlacementSlots;
        return new PlacementTable(
            [.. Enumerable.Range(0, partitions).Select(p => new SlotRange(p * slots / partitions, ((p + 1) * slots / partitions) - 1, p))]);
    }
}
