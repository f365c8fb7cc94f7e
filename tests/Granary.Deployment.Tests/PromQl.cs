using System.Text.RegularExpressions;

namespace Granary.Deployment.Tests;

/// <summary>Which metrics and labels a PromQL expression names.</summary>
internal static partial class PromQl
{
    private static readonly string[] Words = ["and", "or", "unless", "bool", "offset", "inf", "nan", "atan2"];

    public static IReadOnlySet<string> Metrics(string expression)
    {
        var bare = Range().Replace(Braces().Replace(Text().Replace(expression, ""), " "), " ");
        return Name().Matches(Grouping().Replace(bare, " ")).Where(static m => !m.Groups["call"].Success)
            .Select(static m => m.Groups["name"].Value).Where(static n => !Words.Contains(n, StringComparer.OrdinalIgnoreCase)).ToHashSet();
    }

    public static IReadOnlySet<string> Labels(string expression)
    {
        var bare = Text().Replace(expression, "''");
        return Braces().Matches(bare).SelectMany(static m => Matcher().Matches(m.Value)).Select(static m => m.Groups[1].Value)
            .Concat(Grouped(bare)).ToHashSet();
    }

    /// <summary>The labels that the answers of an expression carry, as far as <c>by</c> says so.</summary>
    public static IEnumerable<string> Grouped(string expression) => Grouping().Matches(expression).SelectMany(static m =>
        m.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex("\"[^\"]*\"|'[^']*'")]
    private static partial Regex Text();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Braces();

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Range();

    [GeneratedRegex(@"\b(by|without|on|ignoring|group_left|group_right)\s*\((?<labels>[^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"(?<![\w:.$])(?<name>[a-zA-Z_:][\w:]*)(?<call>\s*\()?")]
    private static partial Regex Name();

    [GeneratedRegex(@"(\w+)\s*(=~|!~|!=|=)")]
    private static partial Regex Matcher();
}
