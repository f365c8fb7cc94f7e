namespace Granary.Index.Postings;

/// <summary>What a query makes of postings. Contributions of a row add up to its score before rounding.</summary>
internal interface IPostingScorer
{
    /// <summary>What a posting adds to its row's score.</summary>
    double Contribution(int term, int row, uint payload);

    /// <summary>A bound on <see cref="Contribution"/> over the postings a summary was made of, never below 0 (a row may lack the
    /// term).</summary>
    double Bound(int term, ReadOnlySpan<uint> summary);

    /// <summary>The score of a row as the caller sees it; the same whatever order <paramref name="sum"/> was added in.</summary>
    float Score(int row, double sum);

    /// <summary>The largest sum that surely scores below this: rows bounded by it cannot matter.</summary>
    double SumBelow(float score);
}
