namespace Granary.Index;

/// <summary>How two dense vectors are compared.</summary>
public enum Distance : byte
{
    /// <summary>Cosine similarity; vectors are normalised once, at write. Higher is nearer.</summary>
    Cosine = 0,

    /// <summary>Dot product. Higher is nearer.</summary>
    Dot = 1,

    /// <summary>Euclidean distance (the root is taken for the answer). Lower is nearer.</summary>
    Euclid = 2,

    /// <summary>Manhattan distance. Lower is nearer.</summary>
    Manhattan = 3,
}

/// <summary>Facts about a <see cref="Distance"/>.</summary>
public static class DistanceExtensions
{
    /// <summary>Whether a larger score is nearer.</summary>
    public static bool HigherIsNearer(this Distance distance) => distance is Distance.Cosine or Distance.Dot;
}
