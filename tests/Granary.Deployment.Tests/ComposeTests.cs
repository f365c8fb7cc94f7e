using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Granary.Deployment.Tests;

/// <summary>infra/compose.yaml: that what it names exists, and that its silos can find one another.</summary>
public partial class ComposeTests
{
    private static readonly JsonNode Compose = Repository.Yaml("infra/compose.yaml").Single();

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Services => Compose["services"]!.AsObject();

    private static IEnumerable<JsonNode> Silos => Services.Where(static s => s.Key.StartsWith("silo-", StringComparison.Ordinal))
        .Select(static s => s.Value!);

    [Fact]
    public void Every_image_is_of_a_version() =>
        Assert.All(Services, static s => Assert.Matches(@"^[\w.\-/]+:v?\d+(\.\d+)+$", (string)s.Value!["image"]!));

    [Fact]
    public void What_services_refer_to_is_declared()
    {
        foreach (var (name, service) in Services)
        {
            if (service!["depends_on"] is JsonObject others)
                Assert.Empty(others.Select(static o => o.Key).Where(static o => Compose["services"]![o] is null));
            var networks = service["networks"] is JsonObject map ? map.Select(static n => n.Key)
                : Manifests.Items(service["networks"]).Select(static n => (string)n!);
            Assert.Equal(["granary"], networks);
            Assert.Empty(Manifests.Items(service["secrets"]).Where(static s => Compose["secrets"]![(string)s!] is null));
            foreach (var source in Manifests.Items(service["volumes"]).Select(static v => ((string)v!).Split(':')[0]))
            {
                Assert.True(source.StartsWith('.') ? Path.Exists(Repository.PathOf(Path.Combine("infra", source)))
                    : Compose["volumes"]!.AsObject().ContainsKey(source), $"{name}: {source}");
            }
        }

        Assert.NotNull(Compose["networks"]!["granary"]);
    }

    [Fact]
    public void Ports_are_bound_to_this_machine_alone_and_to_one_service_each()
    {
        var ports = Services.SelectMany(static s => Manifests.Items(s.Value!["ports"])).Select(static p => (string)p!).ToList();
        Assert.Empty(ports.Where(static p => !p.StartsWith("127.0.0.1:", StringComparison.Ordinal)));
        Assert.Equal(ports.Count, ports.Select(static p => p.Split(':')[1]).Distinct().Count());
    }

    [Fact]
    public void Two_silos_advertise_the_addresses_they_have()
    {
        Assert.Equal(2, Silos.Count());
        var subnet = IPNetwork.Parse((string)Compose["networks"]!["granary"]!["ipam"]!["config"]![0]!["subnet"]!);
        Assert.Equal(2, Silos.Select(static s => (string)s["environment"]!["GRANARY_SILO_ADDRESS"]!).Distinct().Count());
        Assert.All(Silos, silo =>
        {
            var address = (string)silo["environment"]!["GRANARY_SILO_ADDRESS"]!;
            Assert.Equal(address, (string?)silo["networks"]!["granary"]!["ipv4_address"]);
            Assert.True(subnet.Contains(IPAddress.Parse(address)), address);
            Assert.Equal("service_completed_successfully", (string?)silo["depends_on"]!["migrate"]!["condition"]);
            Assert.Equal("service_healthy", (string?)silo["depends_on"]!["postgres"]!["condition"]);
            Assert.Contains(Manifests.Items(silo["ports"]), static p => ((string)p!).EndsWith(":6333", StringComparison.Ordinal));
        });
        Assert.Single(Silos.Select(static s => (string)s["environment"]!["GRANARY_CLUSTER_ID"]!).Distinct());
        Assert.Equal("""["migrate"]""", Compose["services"]!["migrate"]!["command"]!.ToJsonString());
    }

    [Fact]
    public void Every_variable_of_a_silo_is_a_documented_setting() =>
        Assert.Empty(Silos.Append(Compose["services"]!["migrate"]!).SelectMany(static s => s["environment"]!.AsObject())
            .Select(static v => v.Key).Where(static n => !SettingTests.Documented.Contains(n)));

    [Fact]
    public void The_example_of_the_environment_has_every_variable_that_must_be_set()
    {
        var needed = Needed().Matches(Repository.Text("infra/compose.yaml")).Select(static m => m.Groups[1].Value)
            .Concat(Compose["secrets"]!.AsObject().Select(static s => (string)s.Value!["environment"]!)).Distinct().Order();
        var given = File.ReadLines(Repository.PathOf("infra/.env.example")).Where(static l => !l.StartsWith('#'))
            .Select(static l => l.Split('=')[0]).Order();
        Assert.Equal(needed, given);
        Assert.Contains("infra/.env", File.ReadLines(Repository.PathOf(".gitignore")));
    }

    [Fact]
    public void Silos_write_to_volumes_only_and_have_time_to_hand_over() => Assert.All(Silos, static silo =>
    {
        Assert.True((bool)silo["read_only"]!);
        Assert.Equal("""["ALL"]""", silo["cap_drop"]!.ToJsonString());
        Assert.Contains(Manifests.Items(silo["volumes"]), static v => ((string)v!).Split(':')[1] == "/var/cache/granary");
        Assert.Equal("150s", (string?)silo["stop_grace_period"]);
    });

    [GeneratedRegex(@"\$\{(\w+):\?")]
    private static partial Regex Needed();
}
