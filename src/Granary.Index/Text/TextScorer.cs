using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <summary>
/// BM25 in the form of Robertson and Zaragoza (2009): the sum over the query's terms of
/// idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average)), idf = ln(1 + (N - df + 0.5) / (df + 0.5)).
/// Each contribution is rounded down to a multiple of a unit so small that all sums are exact in a double: a score does not
/// depend on the order of terms, and so not on how documents are spread over partitions.
/// </summary>
internal readonly struct TextScorer : IPostingScorer
{
    private readonly RowTable<TextRow> _rows;
    private readonly double[] _weights;
    private readonly double _constant;
    private readonly double _slope;
    private readonly double _scale;

    /// <param name="rows">The documents.</param>
    /// <param name="schema">For k1 and b.</param>
    /// <param name="documents">N.</param>
    /// <param name="totalLength">The sum of all lengths.</param>
    /// <param name="queryLength">Terms of the query, repeated ones counted each time.</param>
    /// <param name="weights">Filled by <see cref="SetWeight"/>, a place for each term.</param>
    public TextScorer(RowTable<TextRow> rows, TextFieldSchema schema, long documents, long totalLength, int queryLength, double[] weights)
    {
        _rows = rows;
        _weights = weights;
        var average = documents > 0 && totalLength > 0 ? (double)totalLength / documents : 1;
        _constant = schema.K1 * (1.0 - schema.B);
        _slope = schema.K1 * (double)schema.B / average;

        // No score exceeds this; below 2^52 units every sum is an exact integer.
        var most = queryLength * Math.Max(Idf(documents, 0), 1) * (schema.K1 + 1.0);
        _scale = Math.ScaleB(1, 51 - Math.ILogB(Math.Max(most, 1)));
        K1 = schema.K1;
    }

    private double K1 { get; }

    /// <summary>Sets a term's weight.</summary>
    public void SetWeight(int term, long documents, long frequency, int occurrences) =>
        _weights[term] = occurrences * Idf(documents, Math.Min(frequency, documents)) * (K1 + 1.0) * _scale;

    public double Contribution(int term, int row, uint payload) => Contribution(_weights[term], payload, _rows.LengthOf(row));

    public double Bound(int term, ReadOnlySpan<uint> summary)
    {
        var bound = 0.0;
        for (var i = 0; i < summary.Length; i += 2)
            bound = Math.Max(bound, Contribution(_weights[term], summary[i], (int)summary[i + 1]));

        // The quotient rises with the frequency only up to rounding.
        return Math.Ceiling(bound * (1 + 1e-12)) + 1;
    }

    public float Score(int row, double sum) => (float)(sum / _scale);

    public double SumBelow(float score) => MathF.BitDecrement(score) * _scale;

    private double Contribution(double weight, uint frequency, int length) =>
        Math.Floor(weight * (frequency / (frequency + _constant + (_slope * length))));

    private static double Idf(long documents, long frequency) => Math.Log(1 + ((documents - frequency + 0.5) / (frequency + 0.5)));
}
