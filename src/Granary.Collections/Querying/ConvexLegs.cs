using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>How legs take part in a convex combination.</summary>
internal static class ConvexLegs
{
    /// <summary>What the leg's scores are measured against; null is a ranking that was made of others.</summary>
    public static LegScale ScaleOf(Leg? leg) => leg is TextLeg or SparseLeg ? LegScale.Lexical : LegScale.Similarity;

    /// <summary>Whether the partitions can score hits of other legs by the leg along with searching it.</summary>
    public static bool Scores(Leg leg) => leg is DenseLeg or TextLeg or SparseLeg or ExampleLeg;

    /// <summary>The leg with the statistics that it takes for known as given ones.</summary>
    public static Leg Settled(Leg leg)
    {
        if (leg is not TextLeg { Known: { } known } text)
            return leg;
        var frequencies = ImmutableDictionary.CreateBuilder<string, long>();
        for (var i = 0; i < known.Terms.Length; i++)
            frequencies[known.Terms[i]] = known.All.Frequencies[i];
        return text with
        {
            Known = null,
            Floor = null,
            Statistics = new TextStatistics(known.All.Documents, known.All.TotalLength, frequencies.ToImmutable()),
        };
    }

    /// <summary>The leg, if its query is a vector that can be moved.</summary>
    public static DenseLeg? Moves(Leg? leg, IndexSchema schema) =>
        leg is DenseLeg { Rows: 1 } dense && schema.FindDense(dense.Vector) is { MultiVector: false } ? dense : null;
}
