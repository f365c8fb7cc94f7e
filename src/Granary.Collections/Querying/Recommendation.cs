using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// The mean vector of a recommendation, as Qdrant computes it: the mean of the positives, and with negatives 2 positive -
/// negative; rows of multi-vectors are joined, negative ones negated.
/// </summary>
internal static class Recommendation
{
    public static ExampleVector Average(IReadOnlyList<ExampleVector> positive, IReadOnlyList<ExampleVector> negative, bool multi)
    {
        if (positive.Count == 0)
            throw GranaryException.BadInput("Positive vectors should not be empty with `average` strategy");
        if (multi)
            return Joined(positive, negative);
        return positive[0].Rows == 0 ? Sparse(positive, negative) : Dense(positive, negative);
    }

    private static ExampleVector Joined(IReadOnlyList<ExampleVector> positive, IReadOnlyList<ExampleVector> negative)
    {
        var values = new List<float>();
        foreach (var example in positive)
            values.AddRange(example.Values.Span);
        foreach (var example in negative)
        {
            foreach (var value in example.Values.Span)
                values.Add(-value);
        }

        return new ExampleVector(values.ToArray(), positive.Sum(p => p.Rows) + negative.Sum(n => n.Rows));
    }

    private static ExampleVector Dense(IReadOnlyList<ExampleVector> positive, IReadOnlyList<ExampleVector> negative)
    {
        var mean = Mean(positive);
        if (negative.Count == 0)
            return new ExampleVector(mean);
        var away = Mean(negative);
        for (var i = 0; i < mean.Length; i++)
            mean[i] = mean[i] + mean[i] - away[i];
        return new ExampleVector(mean);
    }

    private static float[] Mean(IReadOnlyList<ExampleVector> examples)
    {
        var sum = new float[examples[0].Values.Length];
        foreach (var example in examples)
        {
            var values = example.Values.Span;
            for (var i = 0; i < sum.Length; i++)
                sum[i] += values[i];
        }

        for (var i = 0; i < sum.Length; i++)
            sum[i] /= examples.Count;
        return sum;
    }

    private static ExampleVector Sparse(IReadOnlyList<ExampleVector> positive, IReadOnlyList<ExampleVector> negative)
    {
        var mean = SparseMean(positive);
        if (negative.Count > 0)
        {
            var away = SparseMean(negative);
            foreach (var index in mean.Keys.ToArray())
                mean[index] += mean[index];
            foreach (var (index, value) in away)
                mean[index] = mean.GetValueOrDefault(index) - value;
        }

        return new ExampleVector(mean.Values.ToArray(), 0, mean.Keys.ToArray());
    }

    private static SortedDictionary<uint, float> SparseMean(IReadOnlyList<ExampleVector> examples)
    {
        var sum = new SortedDictionary<uint, float>();
        foreach (var example in examples)
        {
            for (var i = 0; i < example.Indices.Length; i++)
                sum[example.Indices.Span[i]] = sum.GetValueOrDefault(example.Indices.Span[i]) + example.Values.Span[i];
        }

        foreach (var index in sum.Keys.ToArray())
            sum[index] /= examples.Count;
        return sum;
    }
}
