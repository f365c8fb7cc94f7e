namespace Granary.Architecture.Tests;

public class SourceTests
{
    private const int LongestFile = 500;
    private const int LongestLine = 140;

    /// <summary>Split, so that this file does not name them itself.</summary>
    private static readonly string[] MachineWords =
        ["/wo" + "rk/", "../sha" + "red", "/fa" + "rm/", ".lib" + "rary", "/ro" + "ot/", "/ho" + "me/"];

    private static readonly string[] Unfinished = ["NotImplemented" + "Exception", "TO" + "DO", "FIX" + "ME", "Sk" + "ip = \""];

    [Fact]
    public void No_source_file_grows_past_one_subject()
    {
        var long_ = Sources().Select(path => (path, lines: File.ReadLines(path).Count())).Where(f => f.lines > LongestFile);
        Assert.Empty(long_.Select(f => $"{Path.GetRelativePath(Repository.Root, f.path)}: {f.lines} lines"));
    }

    [Fact]
    public void No_line_is_longer_than_the_screen_is_wide() => Assert.Empty(
        from path in Sources()
        from line in File.ReadLines(path).Select((text, index) => (text, number: index + 1))
        where line.text.Length > LongestLine
        select $"{Path.GetRelativePath(Repository.Root, path)}:{line.number}: {line.text.Length} characters");

    [Fact]
    public void Nothing_in_the_repository_means_something_on_one_machine_only() =>
        Assert.Empty(Containing(Repository.TextFiles(), MachineWords));

    [Fact]
    public void Nothing_is_left_unfinished_or_skipped() => Assert.Empty(Containing(Sources(), Unfinished));

    [Fact]
    public void Tests_wait_for_events_and_never_sleep() =>
        Assert.Empty(Containing(Sources().Where(p => p.Contains($"{Path.DirectorySeparatorChar}tests{Path.DirectorySeparatorChar}",
            StringComparison.Ordinal)), ["Thread.Sl" + "eep", "Task.De" + "lay"]));

    [Fact]
    public void Expected_files_stand_at_the_root()
    {
        string[] expected = ["README.md", "CHANGELOG.md", "LICENSE", "test.sh", ".ci/run", "Orleans.sln", "Standalone.slnf",
            "Directory.Packages.props", "docs/architecture.md", "docs/configuration.md"];
        Assert.Empty(expected.Where(name => !File.Exists(Path.Combine(Repository.Root, name))));
    }

    private static IEnumerable<string> Sources() => Repository.TextFiles().Where(path => path.EndsWith(".cs", StringComparison.Ordinal));

    private static IEnumerable<string> Containing(IEnumerable<string> files, string[] words) =>
        from path in files
        from line in File.ReadLines(path).Select((text, index) => (text, number: index + 1))
        from word in words
        where line.text.Contains(word, StringComparison.Ordinal)
        select $"{Path.GetRelativePath(Repository.Root, path)}:{line.number}: {word}";
}
