using System.CommandLine;
using Granary.Client;
using Granary.Collections.Embedding;
using Granary.Index;
using Granary.Standalone.Settings;
using Granary.Standalone.Terminal;

namespace Granary.Standalone.Import;

/// <summary><c>granary import</c>: files into a collection of a running server, or straight into storage.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string[]> Paths = new("PATH")
    {
        Description = "Files, or folders whose JSON lines, CSV, text and Markdown files are taken.",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>The command.</summary>
    public static Command Build()
    {
        var command = new Command("import",
            "Imports JSON lines, CSV, or text and Markdown files into a collection; bad files and lines are reported and skipped.");
        command.Arguments.Add(Paths);
        var settings = new SettingOptions(command, [.. CommandSettings.Import, AllSettings.ApiKey, .. AllSettings.Engine]);
        command.SetAction((parsed, cancellation) =>
            Commands.GuardAsync(() => RunAsync(parsed.GetValue(Paths)!, settings.Read(parsed), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(IReadOnlyList<string> paths, SettingValues settings, CancellationToken cancellation)
    {
        var options = ImportOptions.From(settings, paths);
        var engine = ServerSettings.ReadEngine(settings);
        using var generator = engine.EmbeddingGenerator;
        using var embedder = options.Embed != EmbedSide.Client ? null
            : engine.Embeddings ? new TextEmbedder(engine.ToDatabaseOptions())
            : throw GranaryException.BadInput("--embed client needs an embedder, and --embeddings is `none`");
        await using var client = await ConnectAsync(settings, engine, cancellation);
        return await RunAsync(client, options, embedder, Console.Out, Console.Error, cancellation);
    }

    /// <summary>Imports and tells what became of it.</summary>
    internal static async Task<int> RunAsync(
        IGranaryClient client, ImportOptions options, TextEmbedder? embedder, TextWriter output, TextWriter complaints,
        CancellationToken cancellation)
    {
        var report = new ImportReport(complaints);
        var files = new List<InputFile>();
        foreach (var path in options.Paths)
            AddFiles(path, options.Format, files, report);

        var ended = false;
        try
        {
            using (report.Progress = ProgressLine.Start("Importing", files.Sum(static file => new FileInfo(file.Path).Length)))
                await new ImportPipeline(client, options, embedder, report).RunAsync(InputFile.Distinguish(files), cancellation);
            ended = true;
        }
        finally
        {
            // Also when the end was not reached: what was written stays, and is told.
            if (ended || report.Points > 0)
                await output.WriteLineAsync(report.Summary());
        }

        return report.IsComplete ? 0 : 1;
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

    private static async Task<IGranaryClient> ConnectAsync(
        SettingValues settings, EmbeddedGranaryOptions engine, CancellationToken cancellation)
    {
        if (!settings.IsOption(AllSettings.Storage))
        {
            return Uri.TryCreate(settings.Required(CommandSettings.Url), UriKind.Absolute, out var address)
                && address.Scheme is "http" or "https"
                ? new GranaryHttpClient(address, settings.Text(AllSettings.ApiKey))
                : throw settings.Wrong(CommandSettings.Url, "must begin with http:// or https://");
        }

        if (settings.IsOption(CommandSettings.Url))
            throw GranaryException.BadInput("--url and --storage exclude each other: import into a server or into storage");
        var client = new EmbeddedGranaryClient(engine);
        await client.OpenAsync(cancellation);
        return client;
    }
}
