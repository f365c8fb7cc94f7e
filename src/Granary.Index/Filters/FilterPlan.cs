namespace Granary.Index.Filters;

/// <summary>A filter made ready for one view of a partition. Thread-safe; dispose it to give pooled memory back.</summary>
public sealed class FilterPlan : IDisposable
{
    /// <summary>Prepares a filter.</summary>
    /// <exception cref="GranaryException">A payload path cannot be parsed.</exception>
    public static FilterPlan Compile(Filter filter, IFilterContext context) => throw new NotImplementedException();

    /// <summary>How many points match, from the payload indexes; combined as Qdrant combines them, conditions taken as independent.</summary>
    public Cardinality Estimate => throw new NotImplementedException();

    /// <summary>Whether that version of a point matches.</summary>
    public bool Matches(int slot) => throw new NotImplementedException();

    /// <summary>
    /// Ascending slots among which every matching one is found (some may be invisible or not match), when indexes or ids bound them to at
    /// most <paramref name="limit"/>.
    /// </summary>
    public bool TryCandidates(int limit, out ReadOnlyMemory<int> slots) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
