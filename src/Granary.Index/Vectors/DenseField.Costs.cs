namespace Granary.Index.Vectors;

/// <content>What the ways to search under a mask cost.</content>
public sealed unsafe partial class DenseField
{
    // Nanoseconds, as tests/Granary.Benchmarks (filter-ratio --all 1) measures them on the three sets; only their ratios count. A row of
    // codes, each of its bytes, a row visited, a list read on the way.
    private const float CodeCost = 6f;
    private const float CodeByteCost = 0.033f;

    // The same where signs are read first, what is compared after them included.
    private const float SignCost = 9f;
    private const float SignByteCost = 0.07f;
    private const float VisitCost = 400f;
    private const float ListCost = 85f;

    // A visit compares so many rows, of the M or so that are new.
    private const float NewRows = 1.5f;

    // The same of a walk that ignores the mask.
    private const float WideVisitCost = 270f;
    private const float WideNewRows = 0.75f;

    // Rows of a list that were met before make up for so many lists more.
    private const float MetBefore = 2.5f;

    private float RowCost => CodeCost + (CodeByteCost * (_codes?.Stride ?? (_size * sizeof(float))));

    /// <summary>Whether comparing so many rows of a mask costs less than walking to the nearest K of them.</summary>
    private bool ScanIsCheaper(int count, int k, int ef, float share)
    {
        if (_graph is null || Volatile.Read(ref _inGraph) == 0)
            return true;
        var scanned = HasSigns(count, k) ? SignCost + (SignByteCost * SignCode.Stride(_size)) : RowCost;
        var visit = share >= WideShare
            ? WideReach / share * (WideVisitCost + (WideNewRows * _graph.M * RowCost))
            : VisitCost + (ListCost * ListsRead(share / MetBefore)) + (NewRows * _graph.M * RowCost);
        return count * scanned <= ef * visit;
    }

    /// <summary>
    /// Lists read for each row visited under a mask of that share: as many as it takes to meet a list's worth of its rows.
    /// </summary>
    private float ListsRead(float share)
    {
        var width = _graph!.BaseLinks;
        return 1 + Math.Min(width * (1 - share), Math.Max(0f, (1 / Math.Max(share, 0.001f)) - 1));
    }
}
