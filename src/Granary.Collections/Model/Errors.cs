using Granary.Index;

namespace Granary.Collections;

/// <summary>Errors every host words alike (as Qdrant does, so that its clients recognise them).</summary>
public static class Errors
{
    /// <summary>There is no such collection.</summary>
    public static GranaryException CollectionNotFound(string name) => GranaryException.NotFound($"Collection `{name}` doesn't exist!");

    /// <summary>The collection exists already.</summary>
    public static GranaryException CollectionExists(string name) => new(ErrorKind.Conflict, $"Collection `{name}` already exists!");

    /// <summary>There is no such vector.</summary>
    public static GranaryException VectorNotFound(string name) => GranaryException.BadInput($"Not existing vector name error: {name}");

    /// <summary>A vector has the wrong number of dimensions.</summary>
    public static GranaryException WrongSize(int expected, int actual) =>
        GranaryException.BadInput($"Vector dimension error: expected dim: {expected}, got {actual}");

    /// <summary>There is no such point.</summary>
    public static GranaryException PointNotFound(PointId id) => GranaryException.NotFound($"No point with id {id} found");
}
