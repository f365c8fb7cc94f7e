using System.Text.RegularExpressions;

namespace Granary.Deployment.Tests;

/// <summary>The Dockerfiles, read and not run: what they start from, copy, run as and start.</summary>
public partial class ImageTests
{
    public static TheoryData<string, string> Files => new()
    {
        { "infra/docker/Dockerfile", "Granary.Silo" },
        { "infra/docker/standalone.Dockerfile", "Granary.Standalone" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void It_builds_on_the_SDK_and_runs_chiselled_without_rights(string file, string project)
    {
        var from = Lines(file, "FROM").ToList();
        Assert.Equal(["mcr.microsoft.com/dotnet/sdk:10.0-noble AS build", "mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled"], from);
        Assert.Equal("1654:1654", Assert.Single(Lines(file, "USER")));
        Assert.Contains($"dotnet publish src/{project}/{project}.csproj -c Release", Assert.Single(Lines(file, "RUN")),
            StringComparison.Ordinal);
        // There is no shell in the image: only the form that needs none.
        Assert.StartsWith("[\"dotnet\", ", Assert.Single(Lines(file, "ENTRYPOINT")), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void It_starts_what_the_project_builds(string file, string project)
    {
        var text = Repository.Text($"src/{project}/{project}.csproj");
        var assembly = AssemblyName().Match(text).Groups[1].Value;
        Assert.Equal($"[\"dotnet\", \"{assembly}.dll\"]", Assert.Single(Lines(file, "ENTRYPOINT")));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void It_copies_what_exists_and_what_the_ignore_file_lets_in(string file, string project)
    {
        var allowed = File.ReadLines(Repository.PathOf(".dockerignore")).Where(static l => l.StartsWith('!'))
            .Select(static l => l[1..]).ToList();
        var sources = Lines(file, "COPY").Where(static l => !l.StartsWith("--from", StringComparison.Ordinal))
            .SelectMany(static l => l.Split(' ')[..^1]).Select(static s => s.TrimEnd('/')).ToList();
        Assert.NotEmpty(sources);
        Assert.All(sources, s => Assert.True(Path.Exists(Repository.PathOf(s)) && allowed.Contains(s), $"{project}: {s}"));
    }

    [Theory]
    [InlineData("infra/docker/Dockerfile")]
    [InlineData("infra/docker/standalone.Dockerfile")]
    public void Its_variables_are_documented_settings(string file)
    {
        var names = Lines(file, "ENV").SelectMany(static l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(static p => p.Split('=')[0]);
        Assert.Empty(names.Where(static n => n != "ASPNETCORE_HTTP_PORTS" && !SettingTests.Documented.Contains(n)));
        Assert.DoesNotContain("latest", Repository.Text(file), StringComparison.Ordinal);
    }

    [Fact]
    public void The_silos_image_opens_the_ports_of_its_pod()
    {
        var ports = Manifests.Items(Manifests.Silo(Kustomize.Render("overlays/small"))["ports"])
            .Select(static p => p["containerPort"]!.ToString());
        Assert.Equal(ports.Order(), Assert.Single(Lines("infra/docker/Dockerfile", "EXPOSE")).Split(' ').Order());
    }

    /// <summary>What follows an instruction, lines that go on joined.</summary>
    private static IEnumerable<string> Lines(string file, string instruction) =>
        Continued().Replace(Repository.Text(file), " ").Split('\n').Where(l => l.StartsWith(instruction + " ", StringComparison.Ordinal))
            .Select(l => l[(instruction.Length + 1)..].Trim());

    [GeneratedRegex("<AssemblyName>(.+)</AssemblyName>")]
    private static partial Regex AssemblyName();

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();
}
