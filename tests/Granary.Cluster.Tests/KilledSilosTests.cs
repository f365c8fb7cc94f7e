using System.Diagnostics;
using System.Globalization;
using Granary.Cluster.Tests.Support;
using Xunit.Abstractions;

namespace Granary.Cluster.Tests;

/// <summary>Rules AckIsDurable, ReplicasAgree and ReadYourWrites while silos are killed.</summary>
public sealed class KilledSilosTests(ITestOutputHelper output)
{
    /// <summary>A minute, or as many as the variable GRANARY_SOAK_MINUTES says.</summary>
    private static TimeSpan Length => TimeSpan.FromMinutes(
        int.TryParse(Environment.GetEnvironmentVariable("GRANARY_SOAK_MINUTES"), CultureInfo.InvariantCulture, out var minutes)
            ? minutes : 1);

    [Fact]
    public async Task AckIsDurable_while_silos_are_killed_nothing_acknowledged_is_lost_and_the_other_silo_answers_everything()
    {
        await using var cluster = await SiloCluster.StartAsync(output);
        await cluster.SettledAsync();
        await cluster[0].Rest.OkAsync("PUT", "/collections/c", Points.Collection(partitions: 4, replicas: 2));
        await cluster.SettledAsync();
        await using (var load = await Load.StartAsync(cluster.Silos, "c"))
        {
            await KillAsync(cluster, load);
            await load.StopAsync();
            output.WriteLine($"{load.Queries} queries and {load.Writes} writes answered; {load.Ledger.Acknowledged} changes acknowledged, "
                + $"{load.Ledger.Unanswered} unanswered; {load.FailedQueries.Count} queries failed.");
            await FinalState.CheckAsync(cluster, "c", load, alone: true);
        }
    }

    private async Task KillAsync(SiloCluster cluster, Load load)
    {
        var random = new Random(7);
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Length)
        {
            await Until.PassedAsync(TimeSpan.FromSeconds(random.Next(2, 5)));
            var victim = cluster[random.Next(cluster.Silos.Count)];
            load.Silos = [.. cluster.Silos.Where(s => s != victim)];
            await victim.KillAsync();
            var killed = Stopwatch.GetTimestamp();
            await load.ProbeAsync(load.Silos[0], wait: false);
            var resumed = Stopwatch.GetElapsedTime(killed);
            await load.ProbeAsync(load.Silos[0], wait: true);
            output.WriteLine($"{victim.Name} killed: writes of every partition acknowledged after {resumed.TotalSeconds:0.0} s, visible "
                + $"after {Stopwatch.GetElapsedTime(killed).TotalSeconds:0.0} s");
            await victim.StartAsync();
            await cluster.SettledAsync();
            output.WriteLine($"It is back after {Stopwatch.GetElapsedTime(killed).TotalSeconds:0.0} s");
            load.Silos = cluster.Silos;
        }
    }
}
