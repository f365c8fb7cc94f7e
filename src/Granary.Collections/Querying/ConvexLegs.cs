using Granary.Index;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>How legs take part in a convex combination.</summary>
internal static class ConvexLegs
{
    /// <summary>What the leg's scores are measured against; null is a ranking that was made of others.</summary>
    public static LegScale ScaleOf(Leg? leg) => leg is TextLeg or SparseLeg ? LegScale.Lexical : LegScale.Similarity;

    /// <summary>The leg, if its query is a vector that can be moved.</summary>
    public static DenseLeg? Moves(Leg? leg, IndexSchema schema) =>
        leg is DenseLeg { Rows: 1 } dense && schema.FindDense(dense.Vector) is { MultiVector: false } ? dense : null;
}
