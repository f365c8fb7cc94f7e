using System.Runtime.CompilerServices;

namespace Granary.Silo.Tests;

/// <summary>Folders of the repository these tests were built from.</summary>
internal static class TestPaths
{
    public static string InRepository(string path, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "..", path);
}
