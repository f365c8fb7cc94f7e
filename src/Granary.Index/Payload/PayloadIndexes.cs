using System.Diagnostics.CodeAnalysis;
using Granary.Index.Search;

namespace Granary.Index.Payload;

/// <summary>The payload indexes of a partition. One thread writes; any number read without locks.</summary>
public sealed partial class PayloadIndexes
{
    /// <summary>The indexes there are.</summary>
    public IReadOnlyList<PayloadIndexSchema> Schemas => throw new NotImplementedException();

    /// <summary>Adds an index (replacing one over the same path) on existing payloads; it is published once it is whole.</summary>
    /// <param name="schema">The index.</param>
    /// <param name="store">The payloads.</param>
    /// <param name="slots">Every slot whose payload is not freed, old versions included: readers may still see them.</param>
    /// <exception cref="GranaryException">The path or the analyser's settings are wrong.</exception>
    public void Create(PayloadIndexSchema schema, PayloadStore store, IEnumerable<int> slots) => throw new NotImplementedException();

    /// <summary>Removes the index over a path. Readers that have it keep it.</summary>
    public bool Drop(string path) => throw new NotImplementedException();

    /// <summary>Indexes a slot, before it is published.</summary>
    public void Add(int slot, ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>Removes a slot, once no reader can see it; the payload is the one it was added with.</summary>
    public void Remove(int slot, ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>Slots each index covers, by path.</summary>
    public IReadOnlyDictionary<string, long> PointCounts => throw new NotImplementedException();

    /// <summary>Slots in the order of an indexed value, lazily; a slot with several values comes several times.</summary>
    /// <param name="path">A path with an integer (with range), float or datetime index.</param>
    /// <param name="descending">Largest first.</param>
    /// <param name="from">Starts at this value, inclusive; null for the first.</param>
    /// <param name="entries">The slots and values; invisible slots are among them.</param>
    public bool TryOrder(string path, bool descending, OrderValue? from, [NotNullWhen(true)] out IEnumerable<OrderedSlot>? entries) =>
        throw new NotImplementedException();

    /// <summary>The distinct values of a keyword, integer, bool or uuid index, each with its slots (ascending; invisible ones among them).</summary>
    public bool TryFacet(string path, [NotNullWhen(true)] out IEnumerable<FacetEntry>? entries) => throw new NotImplementedException();

    /// <summary>Writes the indexes. Called by the writing thread.</summary>
    public void Save(Stream stream) => throw new NotImplementedException();

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static PayloadIndexes Load(Stream stream) => throw new NotImplementedException();
}
