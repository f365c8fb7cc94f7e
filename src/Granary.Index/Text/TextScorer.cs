namespace Granary.Index.Text;

/// <summary>
/// BM25 in the form of Robertson and Zaragoza (2009): the sum over the query's terms of
/// idf * (k1 + 1) * tf / (tf + k1 * (1 - b + b * length / average)), idf = ln(1 + (N - df + 0.5) / (df + 0.5)).
/// Each contribution is rounded down to a multiple of a unit so small that all sums are exact in a double: a score does not
/// depend on the order of terms, and so not on how documents are spread over partitions.
/// </summary>
internal readonly struct TextScorer
{
    private readonly double[] _weights;
    private readonly double _k1;
    private readonly double _scale;

    /// <param name="schema">For k1 and b.</param>
    /// <param name="documents">N.</param>
    /// <param name="totalLength">The sum of all lengths.</param>
    /// <param name="queryLength">Terms of the query, repeated ones counted each time.</param>
    /// <param name="weights">Filled by <see cref="SetWeight"/>, a place for each term.</param>
    public TextScorer(TextFieldSchema schema, long documents, long totalLength, int queryLength, double[] weights)
    {
        _weights = weights;
        Average = documents > 0 && totalLength > 0 ? (double)totalLength / documents : 1;
        Saturation = new Saturation(schema.K1, schema.B, Average);

        // No score exceeds this; below 2^52 units every sum is an exact integer.
        var most = queryLength * Math.Max(Idf(documents, 0), 1) * (schema.K1 + 1.0);
        _scale = Math.ScaleB(1, 51 - Math.ILogB(Math.Max(most, 1)));
        _k1 = schema.K1;
    }

    /// <summary>The average length.</summary>
    public double Average { get; }

    /// <summary>What frequencies and lengths make of a weight.</summary>
    public Saturation Saturation { get; }

    /// <summary>What a term would add to a document it fills, in units.</summary>
    public double Weight(int term) => _weights[term];

    /// <summary>Sets a term's weight.</summary>
    public void SetWeight(int term, long documents, long frequency, int occurrences) =>
        _weights[term] = occurrences * Idf(documents, Math.Min(frequency, documents)) * (_k1 + 1.0) * _scale;

    /// <summary>What a posting adds to its document's score, in units.</summary>
    public double Contribution(int term, uint frequency, int length) => Math.Floor(_weights[term] * Saturation.Of(frequency, length));

    /// <summary>The score of a sum of contributions, as the caller sees it.</summary>
    public float Score(double sum) => (float)(sum / _scale);

    /// <summary>The largest sum that surely scores below this: documents bounded by it cannot matter.</summary>
    public double SumBelow(float score) => MathF.BitDecrement(score) * _scale;

    private static double Idf(long documents, long frequency) => Math.Log(1 + ((documents - frequency + 0.5) / (frequency + 0.5)));
}
