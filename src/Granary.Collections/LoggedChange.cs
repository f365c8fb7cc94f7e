using System.Collections.Immutable;

namespace Granary.Collections;

/// <summary>A change of a collection's schema that is in the catalog and in its partitions' logs; nobody has waited for it yet.</summary>
/// <param name="Incarnation">Names the collection's data.</param>
/// <param name="Lasts">For each partition the last operation of the change; empty where partitions need not do anything.</param>
/// <param name="Count">How many operations it has in each partition.</param>
public sealed record LoggedChange(Guid Incarnation, ImmutableArray<long> Lasts, int Count);
