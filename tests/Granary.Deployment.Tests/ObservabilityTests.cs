using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Granary.Deployment.Tests;

/// <summary>The dashboard and the alerts against what the code emits, and the watchers' configuration against one another.</summary>
public partial class ObservabilityTests(EmittedMetrics emitted) : IClassFixture<EmittedMetrics>
{
    private static readonly JsonNode Dashboard = JsonNode.Parse(Repository.Text("infra/grafana/dashboards/granary.json"))!;
    private static readonly JsonNode Compose = Repository.Yaml("infra/compose.yaml").Single();
    private static readonly JsonNode Prometheus = Repository.Yaml("infra/prometheus/prometheus.yaml").Single();

    private static IEnumerable<JsonNode> Panels => Manifests.Items(Dashboard["panels"]);

    private static IEnumerable<JsonNode> Alerts => Repository.Yaml("infra/prometheus/alerts.yaml")
        .SelectMany(static f => Manifests.Items(f["groups"])).SelectMany(static g => Manifests.Items(g["rules"]));

    private static IEnumerable<(string Where, string Expression)> Expressions =>
        Panels.SelectMany(static p => Manifests.Items(p["targets"]).Select(t => ($"panel {p["title"]}", (string)t["expr"]!)))
            .Concat(Alerts.Select(static a => ($"alert {a["alert"]}", (string)a["expr"]!)));

    [Fact]
    public void Every_metric_of_the_dashboard_and_of_the_alerts_is_one_the_code_emits()
    {
        var known = emitted.Scraped.Concat(emitted.Exported).Append("up").ToHashSet();
        Assert.Contains("granary_queue_utilisation", known);
        Assert.Contains("granary_query_duration_milliseconds_bucket", known);
        Assert.True(Expressions.Count() > 30);
        Assert.Empty(from e in Expressions
                     from metric in PromQl.Metrics(e.Expression)
                     where !known.Contains(metric)
                     select $"{e.Where}: {metric}");
        Assert.Empty(Expressions.Where(static e => PromQl.Metrics(e.Expression).Count == 0));
    }

    [Fact]
    public void Every_label_they_select_or_group_by_is_one_the_metrics_have() =>
        Assert.Empty(from e in Expressions
                     from label in PromQl.Labels(e.Expression)
                     where !emitted.Labels.Contains(label)
                     select $"{e.Where}: {label}");

    [Theory]
    [InlineData("sum by (id) (rate(a_total{x=\"b_total\", y=~\"c|d\"}[5m])) / on (id) d > 0.5e3", "a_total d", "id x y")]
    [InlineData("histogram_quantile(0.9, sum(rate(h_bucket[$__rate_interval])) by (le)) and up == 1", "h_bucket up", "le")]
    [InlineData("rate(x:y[5m] offset 1h)", "x:y", "")]
    public void Metrics_and_labels_are_read_out_of_expressions(string expression, string metrics, string labels)
    {
        Assert.Equal(metrics, string.Join(' ', PromQl.Metrics(expression).Order(StringComparer.Ordinal)));
        Assert.Equal(labels, string.Join(' ', PromQl.Labels(expression).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Every_metric_is_explained()
    {
        var documentation = Repository.Text("docs/observability.md");
        Assert.Empty(emitted.Scraped.Concat(emitted.Instruments)
            .Where(name => !documentation.Contains($"`{name}`", StringComparison.Ordinal)));
        Assert.Empty(Alerts.Select(static a => (string)a["alert"]!)
            .Where(name => !documentation.Contains($"`{name}`", StringComparison.Ordinal)));
    }

    [Fact]
    public void Panels_stand_apart_and_ask_the_provisioned_source()
    {
        var source = Repository.Yaml("infra/grafana/provisioning/datasources/prometheus.yaml").Single()["datasources"]![0]!;
        Assert.Equal(Panels.Count(), Panels.Select(static p => (int)p["id"]!).Distinct().Count());
        Assert.All(Panels.Where(static p => (string)p["type"]! != "row"), panel =>
        {
            Assert.Equal((string?)source["uid"], (string?)panel["datasource"]!["uid"]);
            Assert.NotEmpty(Manifests.Items(panel["targets"]));
            Assert.All(Manifests.Items(panel["targets"]), t => Assert.Equal((string?)source["uid"], (string?)t["datasource"]!["uid"]));
            Assert.False(string.IsNullOrEmpty((string?)panel["fieldConfig"]!["defaults"]!["unit"]), (string)panel["title"]!);
        });
        var cells = new HashSet<(int, int)>();
        foreach (var panel in Panels)
        {
            int Grid(string name) => (int)panel["gridPos"]![name]!;
            Assert.True(Grid("x") + Grid("w") <= 24, (string)panel["title"]!);
            for (var x = Grid("x"); x < Grid("x") + Grid("w"); x++)
            {
                for (var y = Grid("y"); y < Grid("y") + Grid("h"); y++)
                    Assert.True(cells.Add((x, y)), $"{panel["title"]} covers another panel");
            }
        }
    }

    [Fact]
    public void Variables_of_the_dashboard_are_those_it_uses()
    {
        var defined = Manifests.Items(Dashboard["templating"]!["list"]).Select(static v => (string)v["name"]!).Order().ToList();
        var used = Expressions.SelectMany(static e => Variable().Matches(e.Expression)).Select(static m => m.Groups[1].Value)
            .Where(static name => !name.StartsWith("__", StringComparison.Ordinal)).Distinct().Order();
        Assert.Equal(defined, used);
    }

    [Fact]
    public void Alerts_have_a_severity_and_say_what_is_wrong_with_labels_they_have()
    {
        Assert.True(Alerts.Count() >= 5);
        Assert.Equal(Alerts.Count(), Alerts.Select(static a => (string)a["alert"]!).Distinct().Count());
        Assert.All(Alerts, static alert =>
        {
            Assert.Contains((string?)alert["labels"]!["severity"], (string[])["warning", "critical"]);
            var expression = (string)alert["expr"]!;
            var carried = PromQl.Grouped(expression).Concat(expression.StartsWith("up{", StringComparison.Ordinal) ? ["instance"] : []);
            var summary = (string)alert["annotations"]!["summary"]!;
            Assert.Empty(AlertLabel().Matches(summary).Select(static m => m.Groups[1].Value).Except(carried));
        });
    }

    [Fact]
    public void Prometheus_asks_the_silos_and_the_collector_of_the_compose_file()
    {
        Assert.All(Manifests.Items(Prometheus["rule_files"]),
            static f => Assert.True(File.Exists(Repository.PathOf($"infra/prometheus/{f}"))));
        var targets = Manifests.Items(Prometheus["scrape_configs"]).SelectMany(static j => Manifests.Items(j["static_configs"]))
            .SelectMany(static s => Manifests.Items(s["targets"])).Select(static t => (string)t!).ToList();
        var exporter = (string)Repository.Yaml("infra/otel/collector.yaml").Single()["exporters"]!["prometheus"]!["endpoint"]!;
        Assert.Equal(["otel-collector:" + exporter.Split(':')[^1], "silo-1:6333", "silo-2:6333"], targets.Order(StringComparer.Ordinal));
        Assert.Empty(targets.Where(static t => Compose["services"]![t.Split(':')[0]] is null));
        var silos = Manifests.Items(Prometheus["scrape_configs"]).Single(static j => (string)j["job_name"]! == "granary");
        Assert.Equal("/metrics", (string?)silos["metrics_path"]);
        var secret = ((string)silos["authorization"]!["credentials_file"]!).Split('/')[^1];
        Assert.Contains(Manifests.Items(Compose["services"]!["prometheus"]!["secrets"]), s => (string)s! == secret);
        Assert.NotNull(Compose["secrets"]![secret]);
    }

    [Fact]
    public void The_collector_defines_what_its_pipelines_use_and_listens_where_silos_send()
    {
        var collector = Repository.Yaml("infra/otel/collector.yaml").Single();
        foreach (var (name, pipeline) in collector["service"]!["pipelines"]!.AsObject())
        {
            foreach (var part in new[] { "receivers", "processors", "exporters" })
            {
                Assert.All(Manifests.Items(pipeline![part]),
                    p => Assert.True(collector[part]!.AsObject().ContainsKey((string)p!), $"{name}: {p}"));
            }
        }

        var port = ((string)collector["receivers"]!["otlp"]!["protocols"]!["grpc"]!["endpoint"]!).Split(':')[^1];
        Assert.Equal($"http://otel-collector:{port}", (string?)Compose["services"]!["silo-1"]!["environment"]!["GRANARY_OTLP_ENDPOINT"]);
    }

    [Fact]
    public void Grafana_is_given_the_dashboard_and_the_source_where_it_looks_for_them()
    {
        var mounts = Manifests.Items(Compose["services"]!["grafana"]!["volumes"]).Select(static v => ((string)v!).Split(':')).ToList();
        var provider = Repository.Yaml("infra/grafana/provisioning/dashboards/granary.yaml").Single()["providers"]![0]!;
        Assert.Contains(mounts, m => m[0] == "./grafana/dashboards" && m[1] == (string)provider["options"]!["path"]!);
        Assert.Contains(mounts, static m => m[0] == "./grafana/provisioning" && m[1] == "/etc/grafana/provisioning");
        var source = Repository.Yaml("infra/grafana/provisioning/datasources/prometheus.yaml").Single()["datasources"]![0]!;
        Assert.NotNull(Compose["services"]![new Uri((string)source["url"]!).Host]);
    }

    [GeneratedRegex(@"\$\{?(\w+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\$labels\.(\w+)")]
    private static partial Regex AlertLabel();
}
