using System.Text.Json;
using Granary.Index;
using Granary.Standalone.Settings;
using Microsoft.Extensions.Configuration;

namespace Granary.Silo.Tests;

public sealed class SiloSettingsTests
{
    private static readonly IReadOnlyList<Setting> Own = [.. SiloSettings.All.Except(AllSettings.All)];

    public static TheoryData<string> Keys => [.. SiloSettings.All.Select(static s => s.Key)];

    [Theory]
    [MemberData(nameof(Keys))]
    public void Every_option_stands_in_help_settings_file_and_documentation(string key)
    {
        var setting = SiloSettings.All.Single(s => s.Key == key);
        Assert.Contains(Commands.Build().Options, option => option.Name == setting.Option
            && option.Description!.StartsWith(setting.Help, StringComparison.Ordinal));

        using var file = JsonDocument.Parse(File.ReadAllText(SettingsFile()));
        Assert.Equal(setting.Default, file.RootElement.GetProperty("Granary").GetProperty(key).GetString());

        var pages = File.ReadAllText(TestPaths.InRepository("docs/configuration.md")).Split("\n## `granary-silo`\n");
        Assert.Equal(2, pages.Length);
        var standard = setting.Default.Length > 0 ? $"`{setting.Default}`" : "empty";
        Assert.Contains($"### `{setting.Option}`\n\nKey `Granary:{setting.Key}`, variable `{setting.Variable}`, default "
            + $"{standard}.\n\n{setting.Help}", Own.Contains(setting) ? pages[1] : pages[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_file_and_the_documentation_name_nothing_else()
    {
        var file = new ConfigurationBuilder().AddJsonFile(SettingsFile()).Build();
        var keys = file.GetSection("Granary").AsEnumerable(makePathsRelative: true).Where(static p => p.Value is not null);
        Assert.Equal(SiloSettings.All.Select(static s => s.Key).Order(), keys.Select(static p => p.Key).Order());

        var page = File.ReadAllText(TestPaths.InRepository("docs/configuration.md")).Split("\n## `granary-silo`\n")[1];
        var sections = page.Split('\n').Where(static l => l.StartsWith("### `", StringComparison.Ordinal)).Select(static l => l[5..^1]);
        Assert.Equal(Own.Select(static s => s.Option).Order(), sections.Order());
    }

    [Fact]
    public void Every_option_of_every_command_is_a_setting()
    {
        var root = Commands.Build();
        Assert.Equal(
            SiloSettings.All.Select(static s => s.Option).Order(),
            root.Options.Select(static o => o.Name).Except(["--help", "--version"]).Order());
        var migrate = root.Subcommands.Single();
        Assert.Equal("migrate", migrate.Name);
        Assert.Equal(["--storage"], migrate.Options.Select(static o => o.Name));
    }

    [Fact]
    public async Task Help_shows_every_setting_with_its_default()
    {
        var output = new StringWriter();
        var parsed = Commands.Build().Parse(["--help"]);
        Assert.Equal(0, await parsed.InvokeAsync(new() { Output = output }));
        var shown = string.Join(' ', output.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("migrate", shown, StringComparison.Ordinal);
        foreach (var setting in SiloSettings.All)
        {
            Assert.Contains($"{setting.Option} ", shown, StringComparison.Ordinal);
            Assert.Contains(setting.Help, shown, StringComparison.Ordinal);
            if (setting.Default.Length > 0)
                Assert.Contains($"{setting.Help} [default: {setting.Default}]", shown, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("SiloAddress", "here", "Granary:SiloAddress of appsettings.json `here` must be an IP address")]
    [InlineData("SiloPort", "0", "Granary:SiloPort of appsettings.json `0` must be a whole number from 1 to 65535")]
    [InlineData("GatewayPort", "x", "Granary:GatewayPort of appsettings.json `x` must be a whole number from 0 to 65535")]
    [InlineData("Streams", "kafka", "Granary:Streams of appsettings.json `kafka` must be one of memory, postgres")]
    [InlineData("Migrate", "no", "Granary:Migrate of appsettings.json `no` must be true or false")]
    [InlineData("OtlpEndpoint", "4317", "Granary:OtlpEndpoint of appsettings.json `4317` must be an address")]
    [InlineData("AdminUrls", "8080", "Granary:AdminUrls of appsettings.json `8080` must be addresses such as http://127.0.0.1:8080")]
    [InlineData("HandOverTimeout", "-1", "Granary:HandOverTimeout of appsettings.json `-1` must be a whole number from 0 to 3600")]
    [InlineData("Storage", "file:./data", "--storage must begin with postgres:// (or be mem: for a single silo)")]
    public void A_bad_value_is_told_with_where_it_stands_and_its_rule(string key, string value, string message)
    {
        var error = Assert.Throws<GranaryException>(() => SiloSettings.From(Values(new() { [$"Granary:{key}"] = value })));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Streams_in_the_database_need_one()
    {
        var error = Assert.Throws<GranaryException>(() => SiloSettings.From(Values(new()
        {
            ["Granary:Storage"] = "mem:",
            ["Granary:Streams"] = "postgres",
        })));
        Assert.Equal("Granary:Streams of appsettings.json `postgres` needs --storage postgres://…", error.Message);
    }

    [Fact]
    public void Settings_reach_the_parts_they_are_for()
    {
        var settings = SiloSettings.From(Values(new()
        {
            ["Granary:Storage"] = "postgres://u@h/d",
            ["Granary:ClusterId"] = "c",
            ["Granary:SiloAddress"] = "10.1.2.3",
            ["Granary:SiloPort"] = "5",
            ["Granary:GatewayPort"] = "0",
            ["Granary:Streams"] = "postgres",
            ["Granary:AdminUrls"] = "http://127.0.0.1:1; http://*:2",
            ["Granary:OtlpEndpoint"] = "http://collector:4317",
            ["Granary:HandOverTimeout"] = "7",
            ["Granary:ApiKey"] = "k",
            ["Granary:LinkBatch"] = "3",
        }));
        Assert.Equal("postgres://u@h/d", settings.StorageText);
        Assert.Equal(("c", "granary", "10.1.2.3"), (settings.Cluster, settings.Service, settings.Address.ToString()));
        Assert.Equal((5, 0, true), (settings.Port, settings.Gateway, settings.PostgresStreams));
        Assert.Equal(["http://127.0.0.1:1", "http://*:2"], settings.AdminAddresses);
        Assert.Equal(new Uri("http://collector:4317"), settings.Otlp);
        Assert.Equal(TimeSpan.FromSeconds(7), settings.HandOver);
        Assert.Equal("k", settings.Server.Http.ApiKey);
        Assert.Equal(3, settings.Server.Http.Ingestion.BatchSize);
    }

    private static string SettingsFile() => TestPaths.InRepository("src/Granary.Silo/appsettings.json");

    private static SettingValues Values(Dictionary<string, string?> file) =>
        new(static _ => null, new ConfigurationBuilder().AddInMemoryCollection(file).Build());
}
