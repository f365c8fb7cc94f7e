using System.Text.Json;
using Granary.Client;
using Granary.Index;
using Granary.Standalone.Import;
using Granary.Standalone.Settings;
using Microsoft.Extensions.Configuration;

namespace Granary.Standalone.Tests;

public sealed class SettingsTests
{
    private static readonly IReadOnlyList<Setting> Everything = [.. AllSettings.All, .. CommandSettings.Demo, .. CommandSettings.Import];

    public static TheoryData<string> Keys => [.. Everything.Select(static s => s.Key)];

    [Theory]
    [MemberData(nameof(Keys))]
    public void Every_option_stands_in_help_settings_file_and_documentation(string key)
    {
        var setting = Everything.Single(s => s.Key == key);
        var root = Commands.Build();
        var command = setting.Command.Length == 0 ? root : root.Subcommands.Single(c => c.Name == setting.Command);
        Assert.Contains(command.Options, option => option.Name == setting.Option
            && option.Description!.StartsWith(setting.Help, StringComparison.Ordinal));

        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings.json")));
        var value = $"Granary:{key}".Split(':').Aggregate(file.RootElement, static (at, part) => at.GetProperty(part));
        Assert.Equal(setting.Default, value.GetString());

        var documentation = File.ReadAllText(TestPaths.InRepository("docs/configuration.md"));
        var standard = setting.Default.Length > 0 ? $"`{setting.Default}`" : "empty";
        Assert.Contains($"### `{setting.Option}`\n\nKey `Granary:{setting.Key}`, variable `{setting.Variable}`, default "
            + $"{standard}.\n\n{setting.Help}", documentation, StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_file_names_nothing_else()
    {
        var file = new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json")).Build();
        var keys = file.GetSection("Granary").AsEnumerable(makePathsRelative: true).Where(static p => p.Value is not null);
        Assert.Equal(Everything.Select(static s => s.Key).Order(), keys.Select(static p => p.Key).Order());
    }

    [Fact]
    public void Every_option_of_every_command_is_a_setting()
    {
        var root = Commands.Build();
        foreach (var command in root.Subcommands.Prepend(root))
        {
            Assert.Empty(command.Options.Select(static o => o.Name).Except(["--help", "--version"])
                .Except(Everything.Where(s => s.Command.Length == 0 || s.Command == command.Name).Select(static s => s.Option)));
        }
    }

    [Fact]
    public void The_settings_of_a_command_come_from_its_section_too()
    {
        var file = new Dictionary<string, string?>
        {
            ["Granary:Import:Collection"] = "c",
            ["Granary:Import:ChunkSize"] = "500",
            ["Granary:Import:Embed"] = "client",
            ["Granary:Import:Parallel"] = "9",
            ["Granary:Parallel"] = "5",
        };
        var options = ImportOptions.From(Values(file, static s => s == CommandSettings.Batch ? "7" : null), ["x"]);
        Assert.Equal(("c", 500, true, EmbedSide.Client, 9, 7), (options.Collection, options.ChunkSize, options.ChunkFields, options.Embed,
            options.Parallel, options.BatchSize));
        Assert.Equal("GRANARY_IMPORT_CHUNK_SIZE", CommandSettings.ChunkSize.Variable);

        file["Granary:Import:ChunkOverlap"] = "251";
        var error = Assert.Throws<GranaryException>(() => ImportOptions.From(Values(file, static _ => null), ["x"]));
        Assert.Equal(
            "Granary:Import:ChunkOverlap of appsettings.json `251` must be at most half of --chunk-size 500", error.Message);
    }

    [Theory]
    [InlineData("true", "--exit")]
    [InlineData("true", "--exit", "--storage", "mem:")]
    [InlineData("false", "--exit", "false")]
    [InlineData("false")]
    public void A_switch_may_stand_alone(string expected, params string[] arguments)
    {
        var command = new System.CommandLine.Command("demo");
        var options = new SettingOptions(command, [CommandSettings.Exit, AllSettings.Storage]);
        var values = options.Read(command.Parse(arguments));
        Assert.Equal(bool.Parse(expected), values.Flag(CommandSettings.Exit));
        Assert.Equal(arguments.Length == 3, values.IsOption(AllSettings.Storage));
    }

    [Fact]
    public void The_command_line_comes_before_the_file_and_the_file_before_the_default()
    {
        var values = Values(new()
        {
            ["Granary:LinkBatch"] = "7",
            ["Granary:QueueCapacity"] = "8",
        }, static s => s == AllSettings.LinkBatch ? "9" : null);
        Assert.Equal(9, values.Number(AllSettings.LinkBatch, 1, 100));
        Assert.Equal(8, values.Number(AllSettings.QueueCapacity, 1, 100));
        Assert.Equal("process", values.Text(AllSettings.Durability));
    }

    [Theory]
    [InlineData("LinkBatch", "0", "Granary:LinkBatch of appsettings.json `0` must be a whole number from 1 to 1000000")]
    [InlineData("Durability", "maybe", "Granary:Durability of appsettings.json `maybe` must be one of process, disk")]
    [InlineData("Cors", "yes", "Granary:Cors of appsettings.json `yes` must be true or false")]
    [InlineData("Urls", "6333", "Granary:Urls of appsettings.json `6333` must be addresses such as http://127.0.0.1:6333")]
    [InlineData("Storage", "redis:x", $"storage scheme `redis:` is unknown; known are {GranaryStorage.Schemes}")]
    [InlineData("Storage", "data", $"storage `data` names no scheme; known are {GranaryStorage.Schemes}")]
    [InlineData("Storage", "postgres://u:word@host", "storage: postgres://host names no database")]
    [InlineData("Storage", "file:", "storage `file:` names no path, as in file:./granary-data")]
    public void A_bad_value_is_told_with_where_it_stands_and_its_rule(string key, string value, string message)
    {
        var error = Assert.Throws<GranaryException>(
            () => ServerSettings.From(Values(new() { [$"Granary:{key}"] = value }, static _ => null)));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Settings_reach_the_parts_they_are_for()
    {
        var settings = ServerSettings.From(Values(new()
        {
            ["Granary:ApiKey"] = "k",
            ["Granary:MaxRequestMb"] = "3",
            ["Granary:IndexingMode"] = "synchronous",
            ["Granary:LinkDelay"] = "5",
            ["Granary:Urls"] = "http://127.0.0.1:1; http://*:2",
            ["Granary:EmbeddingTimeout"] = "4",
            ["Granary:Durability"] = "disk",
        }, static _ => null));
        Assert.Equal("k", settings.Http.ApiKey);
        Assert.Null(settings.Http.ReadOnlyApiKey);
        Assert.Equal(3 << 20, settings.Http.MaxRequestBytes);
        Assert.Equal(Collections.IndexingMode.Synchronous, settings.Http.Ingestion.Mode);
        Assert.Equal(TimeSpan.FromMilliseconds(5), settings.Http.Ingestion.BatchDelay);
        Assert.Equal(["http://127.0.0.1:1", "http://*:2"], settings.Urls);
        Assert.Equal(TimeSpan.FromSeconds(4), settings.Engine.Database.EmbeddingTimeout);
        Assert.Equal(Collections.Ports.Durability.Disk, settings.Engine.Durability);
    }

    private static SettingValues Values(Dictionary<string, string?> file, Func<Setting, string?> commandLine) =>
        new(commandLine, new ConfigurationBuilder().AddInMemoryCollection(file).Build());
}
