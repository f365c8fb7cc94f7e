using Granary.Collections.Ports;

namespace Granary.Collections.Catalog;

/// <summary>
/// How large a collection's partitions are, coarsely: class 0 is up to 64 MiB a partition, and each class after it up to twice as much as
/// the one before. Placement goes by it, so that it changes seldom: a class is left upwards at 1.25 times its bound, and downwards at 0.4
/// times, which is well below the bound of the class before.
/// </summary>
public static class SizeClass
{
    /// <summary>The largest class; what is larger still counts as one of it.</summary>
    public const int Largest = 24;

    private const long First = 64L << 20;

    /// <summary>The most bytes that a partition of a class has.</summary>
    public static long Bound(int sizeClass) => First << Clamp(sizeClass);

    /// <summary>The nearest class there is.</summary>
    public static int Clamp(int sizeClass) => Math.Clamp(sizeClass, 0, Largest);

    /// <summary>The class of a partition of so many bytes.</summary>
    public static int Of(long bytes)
    {
        var sizeClass = 0;
        while (sizeClass < Largest && bytes > Bound(sizeClass))
            sizeClass++;
        return sizeClass;
    }

    /// <summary>The class after a measurement.</summary>
    /// <param name="now">The class before it.</param>
    /// <param name="bytes">What a partition has.</param>
    public static int Next(int now, long bytes)
    {
        var bound = (double)Bound(now);
        return bytes > bound * 1.25 || bytes < bound * 0.4 ? Of(bytes) : Clamp(now);
    }

    /// <summary>
    /// The classes of collections after a measurement. One of which nothing was measured keeps its class: its logs were not opened yet.
    /// </summary>
    /// <param name="documents">What the catalog has.</param>
    /// <param name="sizes">What the storage has of partitions.</param>
    /// <returns>Those whose class is another now.</returns>
    public static IReadOnlyList<(string Name, Guid Incarnation, int SizeClass)> Changes(
        IEnumerable<(string Name, CollectionDocument Document)> documents, IEnumerable<StoredSize> sizes)
    {
        // Points are spread by a hash: a collection's partitions are about equal.
        var means = sizes.GroupBy(s => s.Partition.Incarnation).ToDictionary(g => g.Key, g => (long)g.Average(s => (double)s.Bytes));
        return
        [
            .. documents.Where(d => means.ContainsKey(d.Document.Incarnation))
                .Select(d => (d.Name, d.Document.Incarnation, Now: Next(d.Document.SizeClass, means[d.Document.Incarnation]),
                    Before: d.Document.SizeClass))
                .Where(d => d.Now != d.Before).Select(d => (d.Name, d.Incarnation, d.Now)),
        ];
    }
}
