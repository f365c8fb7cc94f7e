using Granary.Index.Postings;

namespace Granary.Index.Sparse;

/// <summary>
/// Dot product. Sums made while searching only choose rows (with room for their rounding); the score itself is added in
/// ascending order of dimensions from the stored vector, so that it is the same in every partition.
/// </summary>
/// <param name="rows">The stored vectors.</param>
/// <param name="query">The query.</param>
/// <param name="largest">No stored weight is larger than this, whatever its sign.</param>
internal readonly struct SparseScorer(RowTable<SparseRow> rows, SparseQuery query, float largest) : IPostingScorer
{
    // Twice the worst rounding of a sum of this many products.
    private readonly double _room = (query.Count + 1) * 4.5e-16 * query.AbsoluteSum * largest;

    public double Contribution(int term, int row, uint payload) =>
        (double)query.Weights[query.Places[term]] * BitConverter.UInt32BitsToSingle(payload);

    public double Bound(int term, ReadOnlySpan<uint> summary)
    {
        double weight = query.Weights[query.Places[term]];
        var high = weight * BitConverter.UInt32BitsToSingle(summary[0]);
        return Math.Max(Math.Max(high, weight * BitConverter.UInt32BitsToSingle(summary[1])), 0);
    }

    public float Score(int row, double sum) =>
        rows.ValueOf(row) is { Indices: not null } vector ? (float)query.Dot(vector, out _) : (float)sum;

    public double SumBelow(float score) => MathF.BitDecrement(score) - _room;
}
