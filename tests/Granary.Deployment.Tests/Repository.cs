using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Granary.Deployment.Tests;

/// <summary>The source tree these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder of the tree, by its path from the root.</summary>
    public static string PathOf(string relative) => Path.Combine(Root, relative);

    public static string Text(string relative) => File.ReadAllText(PathOf(relative));

    /// <summary>The documents of a YAML file.</summary>
    public static IReadOnlyList<JsonNode> Yaml(string relative) => YamlText.Parse(Text(relative));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        for (var folder = new DirectoryInfo(Path.GetDirectoryName(here)!); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Standalone.slnf")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No Standalone.slnf above {here}.");
    }
}
