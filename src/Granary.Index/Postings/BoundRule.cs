namespace Granary.Index.Postings;

/// <summary>
/// What a field keeps of each block so that a query can bound the block's best contribution. Never a score: those change
/// with the statistics and the query.
/// </summary>
internal abstract class BoundRule
{
    /// <summary>Most words a summary may have.</summary>
    public const int MaxWords = 16;

    /// <summary>Writes the summary of some postings and returns its length in words.</summary>
    public abstract int Summarise(ReadOnlySpan<int> rows, ReadOnlySpan<uint> payloads, Span<uint> summary);

    /// <summary>A summary that bounds both of two.</summary>
    public abstract uint[] Merge(ReadOnlySpan<uint> one, ReadOnlySpan<uint> other);
}
