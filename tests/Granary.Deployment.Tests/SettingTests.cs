using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Granary.Deployment.Tests;

/// <summary>Settings of the containers: that there are such, that they fit the manifests, and that secrets are no part of them.</summary>
public partial class SettingTests
{
    private static readonly string[] NotOurs =
        ["DOTNET_GCHeapHardLimitPercent", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PGDATA"];

    public static TheoryData<string> Overlays => [.. Manifests.Overlays];

    /// <summary>The variables that docs/configuration.md and docs/kubernetes.md explain.</summary>
    internal static IReadOnlySet<string> Documented { get; } = Variable()
        .Matches(Repository.Text("docs/configuration.md") + Repository.Text("docs/kubernetes.md")).Select(static m => m.Value).ToHashSet();

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_variable_is_a_documented_setting(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        var names = objects.OfKind("ConfigMap").SelectMany(static m => m["data"]!.AsObject().Select(static d => d.Key))
            .Concat(Containers(objects).SelectMany(static c => Manifests.Items(c["env"]).Select(Manifests.Name))).ToList();
        Assert.Contains("GRANARY_STORAGE", names);
        Assert.Empty(names.Where(static n => !Documented.Contains(n) && !NotOurs.Contains(n)));
    }

    [Fact]
    public void The_settings_explained_as_a_silos_own_are_those_in_its_code()
    {
        var code = Option().Matches(Repository.Text("src/Granary.Silo/SiloSettings.cs"))
            .Select(static m => $"GRANARY_{m.Groups[1].Value.Replace('-', '_').ToUpperInvariant()}");
        var table = Row().Matches(Repository.Text("docs/kubernetes.md")).Select(static m => m.Groups[1].Value);
        Assert.Equal(code.Order(), table.Order());
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void The_silo_listens_where_its_ports_are_and_advertises_the_address_of_the_pod(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        var silo = Manifests.Silo(objects);
        var settings = objects.OfKind("ConfigMap").Single();
        Assert.Equal(Manifests.Name(settings), (string?)silo["envFrom"]![0]!["configMapRef"]!["name"]);
        int Port(string name) => Manifests.Port(silo, JsonValue.Create(name)).GetValueOrDefault();
        var data = settings["data"]!;
        Assert.Equal($"http://0.0.0.0:{Port("rest")}", (string?)data["GRANARY_URLS"]);
        Assert.Equal($"http://0.0.0.0:{Port("admin")}", (string?)data["GRANARY_ADMIN_URLS"]);
        Assert.Equal($"{Port("silo")}", (string?)data["GRANARY_SILO_PORT"]);
        Assert.Equal($"{Port("gateway")}", (string?)data["GRANARY_GATEWAY_PORT"]);
        Assert.Equal((6333, 8080, 11111, 30000), (Port("rest"), Port("admin"), Port("silo"), Port("gateway")));
        Assert.Equal("status.podIP", (string?)Environment(silo, "GRANARY_SILO_ADDRESS")["valueFrom"]!["fieldRef"]!["fieldPath"]);
        Assert.Contains(Manifests.Items(silo["volumeMounts"]), m => (string)m["mountPath"]! == (string)data["GRANARY_CACHE"]!);
        Assert.Equal("false", (string?)data["GRANARY_MIGRATE"]);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Secrets_are_referred_to_and_never_written_down(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        Assert.Empty(objects.OfKind("Secret"));
        var variables = Containers(objects).SelectMany(static c => Manifests.Items(c["env"])).ToList();
        foreach (var variable in variables.Where(static v => Secret().IsMatch(Manifests.Name(v))))
            Assert.Equal("granary", (string?)variable["valueFrom"]?["secretKeyRef"]?["name"]);
        Assert.Empty(objects.OfKind("ConfigMap").SelectMany(static m => m["data"]!.AsObject()).Where(static d => Secret().IsMatch(d.Key)));
        Assert.Equal("api-key", (string?)Environment(Manifests.Silo(objects), "GRANARY_API_KEY")["valueFrom"]!["secretKeyRef"]!["key"]);

        // Every key they refer to is one the documentation tells to make.
        var documentation = Repository.Text("docs/kubernetes.md");
        var keys = variables.Select(static v => v["valueFrom"]?["secretKeyRef"]?["key"]).OfType<JsonNode>().Select(static k => (string)k!);
        Assert.Empty(keys.Where(k => !documentation.Contains($"--from-literal={k}=", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void The_migration_runs_the_silos_own_image(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        var migration = Manifests.Containers(objects.Named("Job", "granary-migrate")["spec"]!["template"]!).Single();
        Assert.Equal((string?)Manifests.Silo(objects)["image"], (string?)migration["image"]);
        Assert.Equal("""["migrate"]""", migration["args"]!.ToJsonString());
        Assert.NotNull(Environment(migration, "GRANARY_STORAGE")["valueFrom"]!["secretKeyRef"]);
    }

    private static IEnumerable<JsonNode> Containers(IEnumerable<JsonNode> objects) =>
        objects.Workloads().SelectMany(static w => Manifests.Containers(w.Template));

    private static JsonNode Environment(JsonNode container, string name) =>
        Manifests.Items(container["env"]).Single(v => Manifests.Name(v) == name);

    [GeneratedRegex("GRANARY_[A-Z_]+[A-Z]")]
    private static partial Regex Variable();

    [GeneratedRegex("""Setting \w+ =\s+new\("([a-z-]+)",""")]
    private static partial Regex Option();

    [GeneratedRegex(@"^\| `(GRANARY_\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("STORAGE$|KEY$|PASSWORD$")]
    private static partial Regex Secret();
}
