using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Index.Payload;

/// <summary>A slot and the value it is ordered by.</summary>
public readonly record struct OrderedSlot(int Slot, OrderValue Value);

/// <summary>A value of an index and the slots that hold it, each once.</summary>
public readonly record struct FacetEntry(MatchValue Value, int Count, IEnumerable<int> Slots);
