using Granary.Index;
using Granary.Standalone.Settings;

namespace Granary.Standalone.Import;

/// <summary>How input is written.</summary>
internal enum InputFormat : byte
{
    /// <summary>Found out from the file's name, else from its first character.</summary>
    Auto,

    /// <summary>A JSON object a line.</summary>
    JsonLines,

    /// <summary>RFC 4180 with a header.</summary>
    Csv,

    /// <summary>Plain text or Markdown, split into chunks.</summary>
    Text,
}

/// <summary>Where vectors are computed.</summary>
internal enum EmbedSide : byte
{
    /// <summary>In the server, by the collection's embedding rule.</summary>
    Server,

    /// <summary>In this process, before the upsert.</summary>
    Client,

    /// <summary>Nowhere: records bring vectors or have none.</summary>
    None,
}

/// <summary>What <c>granary import</c> was asked to do.</summary>
internal sealed record ImportOptions
{
    public required IReadOnlyList<string> Paths { get; init; }

    public required string Collection { get; init; }

    public InputFormat Format { get; init; }

    /// <summary>The field of the id; null: <c>id</c> where a record has one that can be an id.</summary>
    public string? IdField { get; init; }

    public string TextField { get; init; } = "text";

    public string VectorField { get; init; } = "vector";

    /// <summary>The collection's dense vector; null: its only one, or <c>dense</c> in a new collection.</summary>
    public string? VectorName { get; init; }

    public EmbedSide Embed { get; init; } = EmbedSide.Server;

    /// <summary>Characters of a chunk of a text file, at most.</summary>
    public int ChunkSize { get; init; } = 1_200;

    /// <summary>Whether text fields of JSON lines and CSV that are longer than a chunk are split, too.</summary>
    public bool ChunkFields { get; init; }

    /// <summary>Characters that a chunk repeats of the one before, at most.</summary>
    public int ChunkOverlap { get; init; } = 150;

    /// <summary>Points in one upsert.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Files read at once, and upserts under way at once.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>Reads and checks the settings of an import.</summary>
    /// <exception cref="GranaryException">A value breaks its rule.</exception>
    public static ImportOptions From(SettingValues values, IReadOnlyList<string> paths)
    {
        var size = values.Text(CommandSettings.ChunkSize) is null ? 0 : (int)values.Number(CommandSettings.ChunkSize, 100, 1_000_000);
        var options = new ImportOptions
        {
            Paths = paths,
            Collection = values.Text(CommandSettings.Collection)
                ?? throw GranaryException.BadInput("--collection is needed: the collection to import into"),
            Format = values.Word(CommandSettings.Format, "auto", "jsonl", "csv", "text") switch
            {
                "jsonl" => InputFormat.JsonLines,
                "csv" => InputFormat.Csv,
                "text" => InputFormat.Text,
                _ => InputFormat.Auto,
            },
            IdField = values.Text(CommandSettings.IdField),
            TextField = values.Required(CommandSettings.TextField),
            VectorField = values.Required(CommandSettings.VectorField),
            VectorName = values.Text(CommandSettings.VectorName),
            Embed = Enum.Parse<EmbedSide>(values.Word(CommandSettings.Embed, "server", "client", "none"), ignoreCase: true),
            ChunkSize = size == 0 ? 1_200 : size,
            ChunkFields = size > 0,
            ChunkOverlap = (int)values.Number(CommandSettings.ChunkOverlap, 0, 500_000),
            BatchSize = (int)values.Number(CommandSettings.Batch, 1, 10_000),
            Parallel = (int)values.Number(CommandSettings.Parallel, 1, 64),
        };
        return options.ChunkOverlap <= options.ChunkSize / 2
            ? options
            : throw values.Wrong(CommandSettings.ChunkOverlap, $"must be at most half of --chunk-size {options.ChunkSize}");
    }
}
