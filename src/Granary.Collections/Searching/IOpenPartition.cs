using Granary.Collections.Indexing;
using Granary.Index;

namespace Granary.Collections.Searching;

/// <summary>A partition that may be in this process, where a whole query can be answered from one view of it.</summary>
internal interface IOpenPartition
{
    /// <summary>
    /// A view of the partition; false where it is elsewhere, does not answer at once, or has not applied yet what the read must see.
    /// </summary>
    /// <exception cref="GranaryException">The partition stopped.</exception>
    bool TryOpen(ReadOptions read, out ReaderLease lease);
}
