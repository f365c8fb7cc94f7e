namespace Granary.Index.Text;

/// <summary>
/// How far a term frequency saturates in a document: tf / (tf + k1 * (1 - b + b * length / average)), from 0 to below 1. It falls
/// with the length and rises with the frequency and the average, in floating point too: each operation rounds monotonously.
/// </summary>
/// <param name="k1">BM25's k1.</param>
/// <param name="b">BM25's b.</param>
/// <param name="average">The average length, above 0.</param>
internal readonly struct Saturation(float k1, float b, double average)
{
    // Averages are rounded up to a step of 2^(1/128) where bounds are kept, so that a bound outlives small changes.
    private const double Steps = 128;

    public double Constant { get; } = k1 * (1.0 - b);

    public double Slope { get; } = k1 * (double)b / average;

    /// <summary>The fraction.</summary>
    public double Of(uint frequency, int length) => frequency / (frequency + (Constant + (Slope * length)));

    /// <summary>The first step whose average is at or above this one.</summary>
    public static int StepAbove(double average)
    {
        var step = (int)Math.Ceiling(Math.Log2(average) * Steps);
        return AverageOf(step) >= average ? step : step + 1;
    }

    /// <summary>The average of a step.</summary>
    public static double AverageOf(int step) => Math.Pow(2, step / Steps);
}
