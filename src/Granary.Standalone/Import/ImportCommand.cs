using System.CommandLine;

namespace Granary.Standalone.Import;

internal static class ImportCommand
{
    public static Command Build() => new("import", "Imports files.");
}
