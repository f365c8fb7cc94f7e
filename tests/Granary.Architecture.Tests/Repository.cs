using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Granary.Architecture.Tests;

/// <summary>The source tree these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every project file, by project name.</summary>
    public static IReadOnlyDictionary<string, XDocument> Projects { get; } =
        new[] { "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
            .ToDictionary(path => Path.GetFileNameWithoutExtension(path), XDocument.Load);

    /// <summary>The names of the projects a project references.</summary>
    public static IEnumerable<string> ProjectReferences(XDocument project) =>
        project.Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));

    /// <summary>The packages a project references.</summary>
    public static IEnumerable<string> PackageReferences(XDocument project) =>
        project.Descendants("PackageReference").Select(r => r.Attribute("Include")!.Value);

    /// <summary>Text files that belong to the project: no build output, no packages, no data.</summary>
    public static IEnumerable<string> TextFiles() =>
        Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar)
                .Any(part => part is "bin" or "obj" or ".git" or "node_modules" or "TestResults" or "granary-data"))
            .Where(path => Path.GetExtension(path) is ".cs" or ".csproj" or ".props" or ".md" or ".json" or ".sh" or ".yml" or ".yaml"
                or ".sln" or ".slnf" or ".mjs" or ".js" or ".py" or "");

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
