using System.CommandLine;
using Granary.Client;
using Granary.Embeddings;
using Granary.Index;
using Granary.Standalone.Settings;
using Granary.Standalone.Terminal;
using Microsoft.Extensions.AI;

namespace Granary.Standalone.Import;

/// <summary><c>granary import</c>: files into a collection of a running server, or straight into storage.</summary>
internal static class ImportCommand
{
    private const string DefaultUrl = "http://127.0.0.1:6333";

    private static readonly Argument<string[]> Paths = new("PATH")
    {
        Description = "Files, or folders whose JSON lines, CSV, text and Markdown files are taken.",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<string> Collection = new("--collection")
    {
        Description = "The collection; made when it is missing.",
        Required = true,
        HelpName = "NAME",
    };
    private static readonly Option<string?> Url = new("--url")
    {
        Description = $"The server to import into. [default: {DefaultUrl}, unless --storage is given]",
        HelpName = "URL",
    };
    private static readonly Option<string?> Key = new("--api-key")
    {
        Description = "The server's API key; GRANARY_API_KEY when not given.",
        HelpName = "KEY",
    };
    private static readonly Option<string> Format =
        Word("--format", "How the input is written: auto (by file name), jsonl, csv or text.", "auto", "jsonl", "csv", "text");
    private static readonly Option<string?> IdField = new("--id-field")
    {
        Description = "The field of the id: a number or UUID as it is, another text by its hash. Without it: field id where there is one, "
            + "else a hash of file and line.",
        HelpName = "FIELD",
    };
    private static readonly Option<string> TextField = new("--text-field")
    {
        Description = "The field of the text.",
        DefaultValueFactory = static _ => "text",
        HelpName = "FIELD",
    };
    private static readonly Option<string> VectorField = new("--vector-field")
    {
        Description = "The field of the vector, a list of numbers; records without it are embedded.",
        DefaultValueFactory = static _ => "vector",
        HelpName = "FIELD",
    };
    private static readonly Option<string?> VectorName = new("--vector-name")
    {
        Description = "The collection's vector to fill; needed when it has several. [default: its only one, or dense in a new collection]",
        HelpName = "NAME",
    };
    private static readonly Option<string> Embed = Word(
        "--embed", "Where texts become vectors: server (by the collection's rule), client (here) or none.", "server", "client", "none");
    private static readonly Option<int> ChunkSize =
        Number("--chunk-size",
            "Characters of a chunk of a text file, at most, 100 to 1000000; when given, long text fields of JSON lines and CSV are split, "
                + "too.",
            1_200, 100, 1_000_000);
    private static readonly Option<int> ChunkOverlap =
        Number("--chunk-overlap", "Characters a chunk repeats of the one before, at most, 0 to half of --chunk-size.", 150, 0, 500_000);
    private static readonly Option<int> Batch = Number("--batch", "Points in one upsert, 1 to 10000.", 100, 1, 10_000);
    private static readonly Option<int> Parallel = Number("--parallel", "Files read and upserts under way at once, 1 to 64.", 4, 1, 64);

    /// <summary>The command.</summary>
    public static Command Build()
    {
        var command = new Command("import",
            "Imports JSON lines, CSV, or text and Markdown files into a collection; bad files and lines are reported and skipped.");
        command.Arguments.Add(Paths);
        foreach (var option in new Option[] { Collection, Url, Key, Format, IdField, TextField, VectorField, VectorName, Embed, ChunkSize,
            ChunkOverlap, Batch, Parallel })
            command.Options.Add(option);
        var settings = new SettingOptions(command, AllSettings.Engine);
        command.SetAction((parsed, cancellation) => Commands.GuardAsync(() => RunAsync(parsed, settings.Read(parsed), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, SettingValues settings, CancellationToken cancellation)
    {
        var options = ReadOptions(parsed);
        using var generator = ReadGenerator(options, settings);
        await using var client = await ConnectAsync(parsed, settings, cancellation);
        var report = new ImportReport(Console.Error);
        var files = new List<InputFile>();
        foreach (var path in options.Paths)
            AddFiles(path, options.Format, files, report);

        using (report.Progress = ProgressLine.Start("Importing", files.Sum(static file => new FileInfo(file.Path).Length)))
            await new ImportPipeline(client, options, generator, report).RunAsync(InputFile.Distinguish(files), cancellation);
        Console.WriteLine(report.Summary());
        return report.Skipped == 0 ? 0 : 1;
    }

    private static void AddFiles(string path, InputFormat format, List<InputFile> files, ImportReport report)
    {
        try
        {
            foreach (var file in InputFile.Find(path, format))
            {
                if (File.Exists(file.Path))
                    files.Add(file);
                else
                    report.BadFile(file.Path, "there is no such file");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.BadFile(path, e.Message);
        }
    }

    private static ImportOptions ReadOptions(ParseResult parsed)
    {
        var options = new ImportOptions
        {
            Paths = parsed.GetValue(Paths)!,
            Collection = parsed.GetValue(Collection)!,
            Format = parsed.GetValue(Format) switch
            {
                "jsonl" => InputFormat.JsonLines,
                "csv" => InputFormat.Csv,
                "text" => InputFormat.Text,
                _ => InputFormat.Auto,
            },
            IdField = parsed.GetValue(IdField),
            TextField = parsed.GetValue(TextField)!,
            VectorField = parsed.GetValue(VectorField)!,
            VectorName = parsed.GetValue(VectorName),
            Embed = Enum.Parse<EmbedSide>(parsed.GetValue(Embed)!, ignoreCase: true),
            ChunkSize = parsed.GetValue(ChunkSize),
            ChunkFields = parsed.GetResult(ChunkSize) is { Implicit: false },
            ChunkOverlap = parsed.GetValue(ChunkOverlap),
            BatchSize = parsed.GetValue(Batch),
            Parallel = parsed.GetValue(Parallel),
        };
        if (options.ChunkOverlap > options.ChunkSize / 2)
        {
            throw parsed.GetResult(ChunkOverlap) is { Implicit: false }
                ? GranaryException.BadInput(
                    $"--chunk-overlap {options.ChunkOverlap} must be at most half of --chunk-size {options.ChunkSize}")
                : GranaryException.BadInput($"--chunk-size {options.ChunkSize} needs a --chunk-overlap of at most half of it, the default "
                    + $"is {options.ChunkOverlap}");
        }

        return options;
    }

    private static IEmbeddingGenerator<string, Embedding<float>>? ReadGenerator(ImportOptions options, SettingValues settings)
    {
        var engine = ServerSettings.ReadEngine(settings);
        return options.Embed == EmbedSide.None || !engine.Embeddings ? null : engine.EmbeddingGenerator ?? new GloveEmbeddingGenerator();
    }

    private static async Task<IGranaryClient> ConnectAsync(ParseResult parsed, SettingValues settings, CancellationToken cancellation)
    {
        var url = parsed.GetValue(Url);
        if (!settings.IsOption(AllSettings.Storage))
        {
            return Uri.TryCreate(url ?? DefaultUrl, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                ? new GranaryHttpClient(address, parsed.GetValue(Key) ?? Environment.GetEnvironmentVariable("GRANARY_API_KEY"))
                : throw GranaryException.BadInput($"--url `{url}` must begin with http:// or https://");
        }

        if (url is not null)
            throw GranaryException.BadInput("--url and --storage exclude each other: import into a server or into storage");
        var client = new EmbeddedGranaryClient(ServerSettings.ReadEngine(settings));
        await client.OpenAsync(cancellation);
        return client;
    }

    private static Option<string> Word(string name, string help, params string[] words)
    {
        var option = new Option<string>(name) { Description = help, DefaultValueFactory = _ => words[0] };
        return option.AcceptOnlyFromAmong(words);
    }

    private static Option<int> Number(string name, string help, int standard, int least, int most)
    {
        var option = new Option<int>(name) { Description = help, DefaultValueFactory = _ => standard, HelpName = "NUMBER" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && (value < least || value > most))
                result.AddError($"{name} {value} must be from {least} to {most}");
        });
        return option;
    }
}
