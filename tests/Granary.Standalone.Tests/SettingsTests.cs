using System.Text.Json;
using Granary.Index;
using Granary.Standalone.Settings;
using Microsoft.Extensions.Configuration;

namespace Granary.Standalone.Tests;

public sealed class SettingsTests
{
    public static TheoryData<string> Names => [.. AllSettings.All.Select(static s => s.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_option_stands_in_help_settings_file_and_documentation(string name)
    {
        var setting = AllSettings.All.Single(s => s.Name == name);
        Assert.Contains(Commands.Build().Options, option => option.Name == setting.Option
            && option.Description!.StartsWith(setting.Help, StringComparison.Ordinal));

        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings.json")));
        Assert.Equal(setting.Default, file.RootElement.GetProperty("Granary").GetProperty(setting.Key).GetString());

        var documentation = File.ReadAllText(TestPaths.InRepository("docs/configuration.md"));
        var standard = setting.Default.Length > 0 ? $"`{setting.Default}`" : "empty";
        Assert.Contains($"### `{setting.Option}`\n\nKey `Granary:{setting.Key}`, variable `{setting.Variable}`, default "
            + $"{standard}.\n\n{setting.Help}", documentation, StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_file_names_nothing_else()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings.json")));
        var keys = file.RootElement.GetProperty("Granary").EnumerateObject().Select(static p => p.Name);
        Assert.Empty(keys.Except(AllSettings.All.Select(static s => s.Key)));
    }

    [Fact]
    public void Every_option_of_import_is_documented()
    {
        var documentation = File.ReadAllText(TestPaths.InRepository("docs/configuration.md"));
        var import = Commands.Build().Subcommands.Single(static c => c.Name == "import");
        Assert.Empty(import.Options.Select(static o => o.Name)
            .Where(name => !documentation.Contains($"`{name}", StringComparison.Ordinal)));
        Assert.All(import.Options, static o => Assert.False(string.IsNullOrEmpty(o.Description)));
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
    [InlineData("Storage", "redis:x", "storage scheme `redis:` is unknown; known are mem:, file:PATH, sqlite:PATH")]
    [InlineData("Storage", "data", "storage `data` names no scheme; known are mem:, file:PATH, sqlite:PATH")]
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
