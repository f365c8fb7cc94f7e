using Spectre.Console;

namespace Granary.Standalone.Terminal;

/// <summary>The console tables are drawn on: in colour on a terminal, plain where the output is redirected.</summary>
internal static class Screen
{
    public static IAnsiConsole Console { get; } = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = System.Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        ColorSystem = System.Console.IsOutputRedirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
    });
}
