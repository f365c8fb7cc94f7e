using System.Text.Json.Nodes;

namespace Granary.Deployment.Tests;

public class KustomizeTests
{
    public static TheoryData<string> Folders => ["base", "overlays/small", "overlays/production"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_object_fits_its_Kubernetes_schema(string folder)
    {
        var objects = Kustomize.Render(folder);
        Assert.NotEmpty(objects);
        Assert.Empty(objects.SelectMany(KubernetesSchema.Validate));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void No_object_comes_twice(string folder) => Assert.Empty(
        Kustomize.Render(folder).GroupBy(static o => $"{o["kind"]} {o["metadata"]!["name"]}").Where(static g => g.Count() > 1)
            .Select(static g => g.Key));

    [Theory]
    [InlineData("spec.replicas", "\"two\"", "spec.replicas: must be integer")]
    [InlineData("spec.replicas", "3000000000", "spec.replicas: 3000000000 is no int32")]
    [InlineData("spec.replica", "2", "spec: knows no field replica")]
    [InlineData("spec.selector", null, "spec: lacks selector")]
    [InlineData("spec.podManagementPolicy", "\"Random\"", "spec.podManagementPolicy: must be one of")]
    [InlineData("spec.template.spec.containers.0.name", null, "containers[0]: lacks name")]
    [InlineData("spec.template.spec.containers.0.command", "\"sh\"", "containers[0].command: must be array")]
    [InlineData("spec.template.spec.containers.0.resources.limits.memory", "\"1 GB\"", "limits.memory: 1 GB does not match")]
    [InlineData("spec.template.spec.containers.0.readinessProbe.httpGet.port", "true", "httpGet.port: must be integer or string")]
    [InlineData("spec.template.metadata.labels.tier", "1", "labels.tier: must be string")]
    [InlineData("kind", "\"StatefulSets\"", "apps/v1/StatefulSets: no schema")]
    [InlineData("metadata", null, "lacks metadata")]
    public void A_broken_manifest_is_refused(string path, string? value, string error)
    {
        var broken = Kustomize.Render("overlays/small").Single(static o =>
            (string)o["kind"]! == "StatefulSet" && (string)o["metadata"]!["name"]! == "granary-silo").DeepClone();
        Assert.Empty(KubernetesSchema.Validate(broken));
        Change(broken, path.Split('.'), value is null ? null : JsonNode.Parse(value));
        Assert.Contains(error, Assert.Single(KubernetesSchema.Validate(broken)), StringComparison.Ordinal);
    }

    [Fact]
    public void An_ambiguous_word_and_a_repeated_key_are_refused()
    {
        Assert.Contains("quote the word no", Assert.Throws<InvalidDataException>(() => YamlText.Parse("restart: no")).Message,
            StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => YamlText.Parse("a: 1\na: 2"));
    }

    [Fact]
    public void A_machine_without_kubectl_and_kustomize_is_told_what_to_install()
    {
        var folder = Directory.CreateTempSubdirectory("granary-deployment-");
        try
        {
            var error = Assert.Throws<InvalidOperationException>(() => Kustomize.Find(folder.FullName));
            Assert.Contains("Neither kubectl nor kustomize is on the PATH", error.Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(folder.FullName, "kustomize"), "");
            Assert.Equal((Path.Combine(folder.FullName, "kustomize"), "build"), Kustomize.Find(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Change(JsonNode node, ReadOnlySpan<string> path, JsonNode? value)
    {
        for (; path.Length > 1; path = path[1..])
            node = node is JsonArray items ? items[int.Parse(path[0], System.Globalization.CultureInfo.InvariantCulture)]! : node[path[0]]!;
        if (value is null)
            node.AsObject().Remove(path[0]);
        else
            node[path[0]] = value;
    }
}
