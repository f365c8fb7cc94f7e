using System.Text.RegularExpressions;

namespace Granary.Deployment.Tests;

/// <summary>docs/kubernetes.md and docs/observability.md against what they speak of.</summary>
public partial class DocumentationTests
{
    private static readonly string Kubernetes = Repository.Text("docs/kubernetes.md");

    [Theory]
    [InlineData("docs/kubernetes.md")]
    [InlineData("docs/observability.md")]
    public void Files_they_name_exist(string page)
    {
        var paths = FilePath().Matches(Repository.Text(page)).Select(static m => m.Value.TrimEnd('.', '/')).Distinct().ToList();
        Assert.NotEmpty(paths);
        // The environment is the reader's own, made from the example beside it.
        Assert.Empty(paths.Where(static p => p != "infra/.env" && !Path.Exists(Repository.PathOf(p))));
    }

    [Fact]
    public void Objects_they_tell_to_act_on_are_rendered()
    {
        var objects = Kustomize.Render("overlays/production").Concat(Kustomize.Render("overlays/small"))
            .Select(static o => $"{((string)o["kind"]!).ToLowerInvariant()}/{Manifests.Name(o)}").ToHashSet();
        var named = NamedObject().Matches(Kubernetes).Select(static m => m.Value).Distinct().ToList();
        Assert.Contains("statefulset/granary-silo", named);
        Assert.Empty(named.Where(n => !objects.Contains(n)));
    }

    [Fact]
    public void Labels_that_open_the_network_are_told()
    {
        var policies = Repository.Text("k8s/base/network-policies.yaml");
        Assert.All(AccessLabel().Matches(policies), static m => Assert.Contains($"`{m.Value}`", Kubernetes, StringComparison.Ordinal));
        Assert.Equal(3, AccessLabel().Count(policies));
    }

    [Fact]
    public void The_numbers_of_the_settings_are_those_of_the_manifests()
    {
        var data = Kustomize.Render("base").OfKind("ConfigMap").Single()["data"]!.AsObject();
        var rows = Row().Matches(Kubernetes).ToDictionary(static m => m.Groups["name"].Value, static m => m.Groups["value"].Value);
        Assert.True(rows.Count >= 8);
        Assert.Empty(rows.Where(r => (string?)data[r.Key] != r.Value).Select(static r => $"{r.Key}: {r.Value}"));
    }

    [GeneratedRegex(@"\b(k8s|infra|docs|tests)/[\w\-./]+")]
    private static partial Regex FilePath();

    [GeneratedRegex(@"\b(job|statefulset|service)/[a-z\-]+")]
    private static partial Regex NamedObject();

    [GeneratedRegex("granary-[a-z]+: \"true\"")]
    private static partial Regex AccessLabel();

    [GeneratedRegex(@"^\| `(?<name>GRANARY_\w+)` \| `(?<value>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
