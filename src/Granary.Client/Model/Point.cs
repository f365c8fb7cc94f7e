using System.Collections.Immutable;
using Granary.Index;

namespace Granary.Client;

/// <summary>A point to write, or one that was read.</summary>
/// <param name="Id">A number or a UUID.</param>
public sealed record Point(PointId Id)
{
    /// <summary>
    /// Dense, multi and sparse vectors by name; the unnamed default vector has the name "". May be empty where a collection embeds text.
    /// </summary>
    public ImmutableArray<NamedVector> Vectors { get; init; } = [];

    /// <summary>The payload; null for none.</summary>
    public Payload? Payload { get; init; }

    /// <summary>A point with the default vector.</summary>
    public Point(PointId id, float[] vector, Payload? payload = null) : this(id)
    {
        Vectors = [new NamedVector("", vector)];
        Payload = payload;
    }

    /// <summary>The dense vector of that name, or null.</summary>
    public float[]? Vector(string name = "") => Vectors.FirstOrDefault(v => v.Name == name)?.Values;
}

/// <summary>A page of points; <paramref name="Next"/> is where the next one starts, null after the last.</summary>
public sealed record PointPage(ImmutableArray<Point> Points, PointId? Next);
