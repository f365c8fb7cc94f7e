namespace Granary.Standalone.Settings;

/// <summary>
/// The settings of single commands, in sections of their own; the same test as for <see cref="AllSettings"/> compares them.
/// </summary>
internal static class CommandSettings
{
    public static readonly Setting Exit =
        new("exit", "false", "Stops after the queries instead of serving on: true or false; alone it is true.", "demo") { IsSwitch = true };

    public static readonly Setting Collection = new("collection", "", "The collection to import into; made when it is missing.", "import");
    public static readonly Setting Url = new("url", "http://127.0.0.1:6333",
        "The server to import into, unless --storage is given on the command line.", "import");
    public static readonly Setting Format = new("format", "auto",
        "How the input is written: auto (by file name), jsonl, csv or text.", "import");
    public static readonly Setting IdField = new("id-field", "",
        "The field of the id: a number or UUID as it is, another text by its hash; empty: field id where there is one, else a hash of "
            + "file and line.", "import");
    public static readonly Setting TextField = new("text-field", "text", "The field of the text.", "import");
    public static readonly Setting VectorField = new("vector-field", "vector",
        "The field of the vector, a list of numbers; records without it are embedded.", "import");
    public static readonly Setting VectorName = new("vector-name", "",
        "The collection's vector to fill, needed when it has several; empty: its only one, or dense in a new collection.", "import");
    public static readonly Setting Embed = new("embed", "server",
        "Where texts become vectors: server (by the collection's rule), client (here) or none.", "import");
    public static readonly Setting ChunkSize = new("chunk-size", "",
        "Characters of a chunk, at most, 100 to 1000000: of text files, and of long text fields of JSON lines and CSV; empty: 1200 for "
            + "text files, and fields are kept whole.", "import");
    public static readonly Setting ChunkOverlap = new("chunk-overlap", "150",
        "Characters a chunk repeats of the one before, at most, 0 to half of --chunk-size.", "import");
    public static readonly Setting Batch = new("batch", "100", "Points in one upsert, 1 to 10000.", "import");
    public static readonly Setting Parallel = new("parallel", "4", "Files read and upserts under way at once, 1 to 64.", "import");

    /// <summary>Those of <c>granary demo</c>.</summary>
    public static readonly IReadOnlyList<Setting> Demo = [Exit];

    /// <summary>Those of <c>granary import</c>.</summary>
    public static readonly IReadOnlyList<Setting> Import =
    [
        Collection, Url, Format, IdField, TextField, VectorField, VectorName, Embed, ChunkSize, ChunkOverlap, Batch, Parallel,
    ];
}
