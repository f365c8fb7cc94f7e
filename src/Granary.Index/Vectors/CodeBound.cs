namespace Granary.Index.Vectors;

/// <summary>
/// What the key of a row is at least, proven from its code. A value differs from its code by at most half the row's scale, a query's value
/// from the target's by at most half the target's factor. So dot products differ by at most half the scale times the query's sum of
/// magnitudes, and the like for the target; and Euclidean distances, by the triangle inequality, by at most the lengths of both
/// differences. What float32 rounds on the way, in codes' distances and in keys, is bounded as usual (n additions, 2^-24 each) and taken
/// several times.
/// </summary>
internal readonly unsafe struct CodeBound
{
    private const double Half = 0.501; // Half a step, and what rounding the quotient adds.
    private const double MostCode = 127.001;
    private const double Rounding = 1.0 / (1 << 22);

    // Values so small that their codes are all zero have scale 0: what a scale may leave out.
    private const double RowLeast = 1e-36;
    private const double TargetLeast = 1e-33;
    private readonly bool _euclid;
    private readonly double _slope;
    private readonly double _offset;
    private readonly double _shrink;
    private readonly float _targetNorm;

    /// <summary>The bounds for a query and its target.</summary>
    public CodeBound(DenseQuery query)
    {
        var size = query.Size;
        _euclid = query.Distance == Distance.Euclid;
        var factor = ((float*)query.Target)[0];
        _targetNorm = ((float*)query.Target)[1];
        var rounding = (size + 16) * Rounding;
        if (_euclid)
        {
            // The factor is twice the scale.
            var length = Math.Sqrt(size);
            _slope = Half * length;
            _offset = ((factor / 2) + TargetLeast) * Half * length;
            _shrink = 1 - rounding;
            return;
        }

        var sum = 0.0;
        foreach (var value in query.Values)
            sum += Math.Abs((double)value);
        _slope = (sum * (Half + (MostCode * rounding))) + ((factor + TargetLeast) * Half * MostCode * size);
    }

    /// <summary>No key is below it.</summary>
    /// <param name="distance">The code's distance to the target.</param>
    /// <param name="header">The row's scale and norm (<see cref="RowCode"/>).</param>
    public float Lower(float distance, float* header)
    {
        if (!float.IsFinite(distance))
            return float.NegativeInfinity;
        var scale = header[0] + RowLeast;
        double lower;
        if (_euclid)
        {
            var squared = distance - (((double)header[1] + _targetNorm) * 4 * Rounding);
            lower = ((Math.Sqrt(Math.Max(0, squared)) * _shrink) - (scale * _slope) - _offset) * _shrink;
        }
        else
        {
            lower = distance - (scale * _slope);
        }

        return double.IsNaN(lower) ? float.NegativeInfinity : (float)lower;
    }
}
