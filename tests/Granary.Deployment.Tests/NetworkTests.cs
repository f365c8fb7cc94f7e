using System.Text.Json.Nodes;

namespace Granary.Deployment.Tests;

/// <summary>Who may talk to a silo, and to whom it may.</summary>
public class NetworkTests
{
    private const string Silos =
        """{"podSelector":{"matchLabels":{"app.kubernetes.io/component":"silo","app.kubernetes.io/name":"granary"}}}""";

    public static TheoryData<string> Overlays => [.. Manifests.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_pod_is_under_a_policy_for_both_directions(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        Assert.All(objects.Workloads(), w =>
        {
            var directions = Policies(objects, w.Template).SelectMany(static p => Manifests.Items(p["spec"]!["policyTypes"]));
            Assert.Equal(["Egress", "Ingress"], directions.Select(static d => (string)d!).Distinct().Order());
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void A_silo_takes_requests_from_labelled_pods_Orleans_from_silos_and_administrators_from_labelled_namespaces(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        var rules = Rules(objects, "granary-silo", "ingress", "from");
        Assert.Equal(
            [
                """6333 <- {"namespaceSelector":{},"podSelector":{"matchLabels":{"granary-client":"true"}}}""",
                $"11111,30000 <- {Silos}",
                """8080 <- {"namespaceSelector":{"matchLabels":{"granary-admin":"true"}}}""",
            ],
            rules.Select(static r => $"{r.Ports} <- {r.Peers}"));
        Assert.Empty(Rules(objects, "granary-migrate", "ingress", "from"));
    }

    [Theory]
    [InlineData("overlays/small",
        """{"podSelector":{"matchLabels":{"app.kubernetes.io/component":"postgres","app.kubernetes.io/name":"granary"}}}""")]
    [InlineData("overlays/production", """{"ipBlock":{"cidr":"10.0.0.0/8"}}""")]
    public void A_silo_reaches_silos_the_collector_names_and_the_database_and_nothing_else(string overlay, string database)
    {
        var objects = Kustomize.Render(overlay);
        string[] names = [
            """53,53 -> {"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}}}""", $"5432 -> {database}"];
        Assert.Equal(
            names.Append($"11111,30000 -> {Silos}")
                .Append("""4317,4318 -> {"namespaceSelector":{"matchLabels":{"granary-telemetry":"true"}}}""")
                .Order(StringComparer.Ordinal),
            Rules(objects, "granary-silo", "egress", "to").Select(static r => $"{r.Ports} -> {r.Peers}").Order(StringComparer.Ordinal));
        Assert.Equal(names.Order(StringComparer.Ordinal),
            Rules(objects, "granary-migrate", "egress", "to").Select(static r => $"{r.Ports} -> {r.Peers}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_small_database_talks_to_silos_and_the_migration_only()
    {
        var objects = Kustomize.Render("overlays/small");
        var rule = Assert.Single(Rules(objects, "granary-postgres", "ingress", "from"));
        Assert.Equal("5432", rule.Ports);
        Assert.Empty(Rules(objects, "granary-postgres", "egress", "to"));
        var peer = JsonNode.Parse(rule.Peers)!["podSelector"]!;
        var takes = objects.Workloads().Where(w => Manifests.Selects(peer, w.Template["metadata"]!["labels"]))
            .Select(static w => Manifests.Name(w.Workload));
        Assert.Equal(["granary-migrate", "granary-silo"], takes.Order());
    }

    private static IEnumerable<JsonNode> Policies(IEnumerable<JsonNode> objects, JsonNode template) =>
        objects.OfKind("NetworkPolicy").Where(p => Manifests.Selects(p["spec"]!["podSelector"]!, template["metadata"]!["labels"]));

    /// <summary>The rules of all policies over a workload's pods; a rule has one peer here.</summary>
    private static List<(string Ports, string Peers)> Rules(
        IReadOnlyList<JsonNode> objects, string workload, string direction, string peers)
    {
        var template = objects.Workloads().Single(w => Manifests.Name(w.Workload) == workload).Template;
        return [.. Policies(objects, template).SelectMany(p => Manifests.Items(p["spec"]![direction])).Select(r => (
            string.Join(',', Manifests.Items(r["ports"]).Select(static p => (int)p["port"]!)),
            Assert.Single(Manifests.Items(r[peers])).ToJsonString()))];
    }
}
