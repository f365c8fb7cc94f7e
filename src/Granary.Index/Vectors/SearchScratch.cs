namespace Granary.Index.Vectors;

/// <summary>What a search needs besides the field, kept by its thread from one search to the next, so that searching allocates nothing.</summary>
internal sealed partial class SearchScratch
{
    [ThreadStatic]
    private static SearchScratch? _current;
    private bool _rented;

    /// <summary>Hits compared exactly.</summary>
    public TopHits Top { get; } = new();

    /// <summary>This thread's scratch, or a new one while that is in use.</summary>
    public static SearchScratch Rent()
    {
        var scratch = _current ??= new SearchScratch();
        if (scratch._rented)
            scratch = new SearchScratch();
        scratch._rented = true;
        return scratch;
    }

    /// <summary>Gives it back.</summary>
    public void Return() => _rented = false;
}
