namespace Granary.Deployment.Tests;

/// <summary>What no schema says: that the parts of the rendered objects fit one another, and what a silo's pod must be like.</summary>
public class WorkloadTests
{
    public static TheoryData<string> Overlays => [.. Manifests.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Selectors_take_the_pods_they_are_meant_for(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        var pods = objects.Workloads().Select(static w => w.Template["metadata"]!["labels"]).ToList();
        foreach (var (workload, template) in objects.Workloads().Where(static w => w.Workload["spec"]!["selector"] is not null))
            Assert.True(Manifests.Selects(workload["spec"]!["selector"]!, template["metadata"]!["labels"]), Manifests.Name(workload));
        foreach (var service in objects.OfKind("Service"))
            Assert.True(pods.Count(p => Manifests.SelectsPlainly(service["spec"]!["selector"]!, p)) == 1, Manifests.Name(service));
        foreach (var policy in objects.OfKind("NetworkPolicy"))
            Assert.True(pods.Any(p => Manifests.Selects(policy["spec"]!["podSelector"]!, p)), Manifests.Name(policy));
        foreach (var set in objects.OfKind("StatefulSet"))
            Assert.Equal("None", (string?)objects.Named("Service", (string)set["spec"]!["serviceName"]!)["spec"]!["clusterIP"]);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Ports_of_services_and_probes_are_ports_of_the_container(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        var templates = objects.Workloads().Select(static w => w.Template).ToList();
        foreach (var service in objects.OfKind("Service"))
        {
            var template = templates.Single(t => Manifests.SelectsPlainly(service["spec"]!["selector"]!, t["metadata"]!["labels"]));
            var container = Manifests.Containers(template).Single();
            Assert.All(Manifests.Items(service["spec"]!["ports"]), p =>
                Assert.Equal((int)p["port"]!, Manifests.Port(container, p["targetPort"]!)));
        }

        var probes = templates.SelectMany(Manifests.Containers).SelectMany(static c =>
            new[] { "startupProbe", "readinessProbe", "livenessProbe" }.Select(p => (c, probe: c[p]?["httpGet"] ?? c[p]?["tcpSocket"])));
        Assert.All(probes.Where(static p => p.probe is not null), static p => Assert.NotNull(Manifests.Port(p.c, p.probe!["port"]!)));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void A_silo_is_probed_at_the_paths_that_are_for_it(string overlay)
    {
        var silo = Manifests.Silo(Kustomize.Render(overlay));
        Assert.Equal("/livez", (string?)silo["livenessProbe"]!["httpGet"]!["path"]);
        Assert.Equal("/readyz", (string?)silo["readinessProbe"]!["httpGet"]!["path"]);
        Assert.Equal("/livez", (string?)silo["startupProbe"]!["httpGet"]!["path"]);
        Assert.Equal(6333, Manifests.Port(silo, silo["livenessProbe"]!["httpGet"]!["port"]!));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void A_silo_has_time_to_hand_over_and_the_next_waits_for_it(string overlay)
    {
        var set = Kustomize.Render(overlay).Named("StatefulSet", "granary-silo")["spec"]!;
        Assert.True((int)set["minReadySeconds"]! >= 30);
        Assert.Equal("RollingUpdate", (string?)set["updateStrategy"]!["type"]);
        var grace = (int)set["template"]!["spec"]!["terminationGracePeriodSeconds"]!;
        var pause = (int)Manifests.Containers(set["template"]!).Single()["lifecycle"]!["preStop"]!["sleep"]!["seconds"]!;
        var settings = Kustomize.Render(overlay).OfKind("ConfigMap").Single()["data"]!;
        int Seconds(string name) => int.Parse((string)settings[name]!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(150, grace);
        var needed = pause + Seconds("GRANARY_STOP_TIMEOUT") + Seconds("GRANARY_HAND_OVER_TIMEOUT");
        Assert.True(needed + 15 <= grace, $"{grace} s are too few for {needed} s and the end of the process");
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Pods_run_without_rights_and_write_to_volumes_only(string overlay)
    {
        foreach (var (workload, template) in Kustomize.Render(overlay).Workloads())
        {
            var pod = template["spec"]!;
            Assert.False((bool)pod["automountServiceAccountToken"]!, Manifests.Name(workload));
            Assert.True((bool)pod["securityContext"]!["runAsNonRoot"]!);
            Assert.True((long)pod["securityContext"]!["runAsUser"]! > 0);
            Assert.Equal("RuntimeDefault", (string?)pod["securityContext"]!["seccompProfile"]!["type"]);
            Assert.Null(pod["hostNetwork"]);
            var volumes = Manifests.Items(pod["volumes"]).Concat(Manifests.Items(workload["spec"]!["volumeClaimTemplates"]))
                .Select(Manifests.Name).ToList();
            foreach (var container in Manifests.Containers(template))
            {
                var context = container["securityContext"]!;
                Assert.False((bool)context["allowPrivilegeEscalation"]!);
                Assert.True((bool)context["readOnlyRootFilesystem"]!);
                Assert.Equal("""{"drop":["ALL"]}""", context["capabilities"]!.ToJsonString());
                Assert.Null(context["privileged"]);
                Assert.NotNull(container["resources"]!["requests"]!["cpu"]);
                Assert.NotNull(container["resources"]!["requests"]!["memory"]);
                Assert.NotNull(container["resources"]!["limits"]!["memory"]);
                Assert.Equal(volumes.Order(), Manifests.Items(container["volumeMounts"]).Select(Manifests.Name).Order());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Images_are_of_a_version(string overlay)
    {
        var version = System.Xml.Linq.XDocument.Parse(Repository.Text("Directory.Build.props")).Descendants("Version").Single().Value;
        var images = Kustomize.Render(overlay).Workloads().SelectMany(static w => Manifests.Containers(w.Template))
            .Select(static c => (string)c["image"]!).ToList();
        Assert.All(images, static image => Assert.Matches(@"^[\w.\-/]+:\d+(\.\d+)+$", image));
        Assert.Equal(2, images.Count(i => i.EndsWith($"granary-silo:{version}", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void The_budget_and_the_autoscaler_are_of_the_silos(string overlay)
    {
        var objects = Kustomize.Render(overlay);
        var set = objects.Named("StatefulSet", "granary-silo");
        var budget = objects.OfKind("PodDisruptionBudget").Single()["spec"]!;
        Assert.True(Manifests.Selects(budget["selector"]!, set["spec"]!["template"]!["metadata"]!["labels"]));
        Assert.Equal(1, (int)budget["maxUnavailable"]!);
        var scalers = objects.OfKind("HorizontalPodAutoscaler").ToList();
        Assert.Equal(overlay == "overlays/production" ? 1 : 0, scalers.Count);
        foreach (var scaler in scalers.Select(static s => s["spec"]!))
        {
            var target = scaler["scaleTargetRef"]!;
            Assert.Equal("apps/v1", (string?)target["apiVersion"]);
            Assert.NotNull(objects.Named((string)target["kind"]!, (string)target["name"]!));
            Assert.True((int)scaler["minReplicas"]! >= 3);
            Assert.True((int)scaler["maxReplicas"]! > (int)scaler["minReplicas"]!);
            // A number here would undo the autoscaler's whenever the files are applied.
            Assert.Null(set["spec"]!["replicas"]);
        }

        if (scalers.Count == 0)
            Assert.True((int)set["spec"]!["replicas"]! >= 2);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Silos_are_kept_on_nodes_apart(string overlay)
    {
        var template = Kustomize.Render(overlay).Named("StatefulSet", "granary-silo")["spec"]!["template"]!;
        var preferred = template["spec"]!["affinity"]!["podAntiAffinity"]!["preferredDuringSchedulingIgnoredDuringExecution"]![0]!;
        var term = preferred["podAffinityTerm"]!;
        Assert.Equal("kubernetes.io/hostname", (string?)term["topologyKey"]);
        Assert.True(Manifests.Selects(term["labelSelector"]!, template["metadata"]!["labels"]));
        Assert.All(Manifests.Items(template["spec"]!["topologySpreadConstraints"]), c =>
            Assert.True(Manifests.Selects(c["labelSelector"]!, template["metadata"]!["labels"])));
        if (overlay == "overlays/production")
        {
            Assert.Equal(["DoNotSchedule kubernetes.io/hostname", "ScheduleAnyway topology.kubernetes.io/zone"],
                Manifests.Items(template["spec"]!["topologySpreadConstraints"])
                    .Select(static c => $"{c["whenUnsatisfiable"]} {c["topologyKey"]}"));
        }
    }
}
