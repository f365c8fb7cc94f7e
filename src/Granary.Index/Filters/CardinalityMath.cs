namespace Granary.Index.Filters;

/// <summary>How estimates combine, conditions taken as independent: Qdrant's rules.</summary>
internal static class CardinalityMath
{
    public static Cardinality Not(Cardinality of, long total) =>
        new(Math.Max(0, total - of.Max), Math.Max(0, total - of.Expected), Math.Max(0, total - of.Min));

    /// <summary>All hold: what must be common to all, the product of the chances, the smallest.</summary>
    public static Cardinality All(IReadOnlyList<Cardinality> parts, long total)
    {
        var (min, max, chance) = (total, total, 1.0);
        foreach (var part in parts)
        {
            min = Math.Max(0, min + part.Min - total);
            max = Math.Min(max, part.Max);
            chance *= Chance(part, total);
        }

        return Make(min, chance * total, max);
    }

    /// <summary>One holds: the largest, one less the product of the misses, the sum.</summary>
    public static Cardinality Any(IReadOnlyList<Cardinality> parts, long total)
    {
        var (min, max, miss) = (0L, 0L, 1.0);
        foreach (var part in parts)
        {
            min = Math.Max(min, part.Min);
            max = Math.Min(total, max + part.Max);
            miss *= 1 - Chance(part, total);
        }

        return Make(min, (1 - miss) * total, max);
    }

    /// <summary>
    /// So many hold. Qdrant goes through all combinations; the chance is the same by the Poisson binomial recurrence, in
    /// parts x minimum steps.
    /// </summary>
    public static Cardinality AtLeast(IReadOnlyList<Cardinality> parts, int minimum, long total)
    {
        if (minimum <= 0)
            return Cardinality.Exactly(total);
        if (minimum > parts.Count)
            return Cardinality.Exactly(0);
        if (minimum == 1)
            return Any(parts, total);
        var fewer = new double[minimum];
        fewer[0] = 1;
        var sum = 0L;
        foreach (var part in parts)
        {
            var chance = Chance(part, total);
            for (var hits = minimum - 1; hits > 0; hits--)
                fewer[hits] = (fewer[hits] * (1 - chance)) + (fewer[hits - 1] * chance);
            fewer[0] *= 1 - chance;
            sum += part.Max;
        }

        return Make(0, (1 - fewer.Sum()) * total, Math.Min(total, sum / minimum));
    }

    private static double Chance(Cardinality part, long total) => total == 0 ? 0 : (double)part.Expected / total;

    private static Cardinality Make(long min, double expected, long max)
    {
        min = Math.Min(min, max);
        return new Cardinality(min, Math.Clamp((long)Math.Round(expected), min, max), max);
    }
}
