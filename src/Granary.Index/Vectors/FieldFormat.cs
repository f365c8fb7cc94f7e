namespace Granary.Index.Vectors;

/// <summary>What the images of fields have in common.</summary>
internal static class FieldFormat
{
    /// <summary>Refuses foreign and newer data.</summary>
    public static void Check(DenseVectorSchema schema, uint magic, uint expectedMagic, int version, int knownVersion)
    {
        if (magic != expectedMagic)
            throw new GranaryException(ErrorKind.Corrupted,
                $"vectors.{schema.Name}: the data does not begin with 0x{expectedMagic:X8} but 0x{magic:X8}");
        if (version < 1 || version > knownVersion)
            throw new GranaryException(ErrorKind.Corrupted,
                $"vectors.{schema.Name}: version {version} of the data is newer than {knownVersion}");
    }

    /// <summary>Refuses data of another schema.</summary>
    public static void CheckEqual(DenseVectorSchema schema, string field, long expected, long actual)
    {
        if (expected != actual)
            throw new GranaryException(ErrorKind.Corrupted, $"vectors.{schema.Name}: {field} is {expected}, the data says {actual}");
    }
}
