using System.Text.Json;

namespace Granary.Architecture.Tests;

public class LayerTests
{
    /// <summary>From the lowest layer up: a project may reference only projects before it.</summary>
    private static readonly string[] Layers =
    [
        "Granary.Index", "Granary.Collections", "Granary.Storage.Memory", "Granary.Storage.Files", "Granary.Storage.Sqlite",
            "Granary.Storage.Postgres",
        "Granary.Embeddings", "Granary.Client", "Granary.Http", "Granary.Standalone", "Granary.Grains", "Granary.Silo",
    ];

    /// <summary>Projects that may not reference one another although one stands before the other.</summary>
    private static readonly string[] Siblings = ["Granary.Storage.", "Granary.Embeddings"];

    /// <summary>Packages that belong to one layer alone.</summary>
    private static readonly (string Package, string[] Projects)[] PackageHomes =
    [
        ("Microsoft.Data.Sqlite", ["Granary.Storage.Sqlite"]),
        ("SQLitePCLRaw", ["Granary.Storage.Sqlite"]),
        ("Npgsql", ["Granary.Storage.Postgres"]),
        ("Microsoft.Orleans", ["Granary.Grains", "Granary.Silo"]),
        ("Spectre.Console", ["Granary.Standalone"]),
        ("System.CommandLine", ["Granary.Standalone", "Granary.Silo"]),
        ("Microsoft.Extensions.AI", ["Granary.Collections", "Granary.Embeddings"]),
    ];

    [Fact]
    public void A_layer_uses_only_layers_above_it_in_the_table()
    {
        var wrong = from project in Repository.Projects
                    where Layers.Contains(project.Key)
                    from reference in Repository.ProjectReferences(project.Value)
                    where Array.IndexOf(Layers, reference) < 0 || Array.IndexOf(Layers, reference) >= Array.IndexOf(Layers, project.Key)
                        || (Siblings.Any(s => project.Key.StartsWith(s, StringComparison.Ordinal))
                            && Siblings.Any(s => reference.StartsWith(s, StringComparison.Ordinal)))
                    select $"{project.Key} -> {reference}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_source_project_has_a_layer() =>
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src")).Select(d => Path.GetFileName(d))
            .Where(n => !Layers.Contains(n)));

    [Fact]
    public void The_index_uses_no_package_and_no_project()
    {
        var index = Repository.Projects["Granary.Index"];
        Assert.Empty(Repository.ProjectReferences(index));
        Assert.Empty(Repository.PackageReferences(index));
    }

    [Fact]
    public void Packages_stay_in_the_layer_they_belong_to()
    {
        var wrong = from project in Repository.Projects
                    where Layers.Contains(project.Key)
                    from package in Repository.PackageReferences(project.Value)
                    from home in PackageHomes
                    where package.StartsWith(home.Package, StringComparison.Ordinal) && !home.Projects.Contains(project.Key)
                    select $"{project.Key} -> {package}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_file() =>
        Assert.Empty(Repository.Projects.Where(p => p.Value.Descendants("PackageReference").Any(r => r.Attribute("Version") is not null))
            .Select(p => p.Key));

    [Fact]
    public void The_solution_holds_every_project_and_the_filter_every_one_without_Orleans()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Orleans.sln"));
        using var filter = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "Standalone.slnf")));
        var filtered = filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray()
            .Select(p => Path.GetFileNameWithoutExtension(p.GetString()!.Replace('\\', '/'))).ToHashSet();
        Assert.Empty(Repository.Projects.Keys.Where(name => !solution.Contains($"{name}.csproj", StringComparison.Ordinal)));
        Assert.Empty(Repository.Projects.Keys.Where(name => filtered.Contains(name) == NeedsOrleans(name)));
    }

    private static bool NeedsOrleans(string name) =>
        Repository.PackageReferences(Repository.Projects[name]).Any(p => p.StartsWith("Microsoft.Orleans", StringComparison.Ordinal))
        || Repository.ProjectReferences(Repository.Projects[name]).Any(NeedsOrleans);
}
