namespace Granary.Cluster.Tests.Support;

/// <summary>What must hold once a load is over, whatever happened meanwhile.</summary>
internal static class FinalState
{
    /// <summary>
    /// Every silo has what was acknowledged and nothing else, and answers exact queries like a standalone server with the same points. A
    /// silo asks the replicas that are in it.
    /// </summary>
    /// <param name="cluster">Two silos, running.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="load">What was done to it.</param>
    /// <param name="alone">Whether each silo is asked also when it is the only one left.</param>
    public static async Task CheckAsync(SiloCluster cluster, string collection, Load load, bool alone = false)
    {
        Assert.True(load.FailedQueries.Count == 0, string.Join('\n', load.FailedQueries.Take(10)));
        await cluster.SettledAsync();
        // What is written after everything else and waited for is visible everywhere, and so is everything else.
        await load.ProbeAsync(cluster[0], wait: true);
        var points = await cluster[0].Rest.AllPointsAsync(collection);
        var wrong = load.Ledger.Contradictions(points);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(10)));
        var expected = await Answers.OfStandaloneAsync(points);
        foreach (var silo in cluster.Silos)
        {
            Assert.Equal(points, await silo.Rest.AllPointsAsync(collection));
            Assert.Equal(expected, await Answers.OfAsync(silo.Rest, collection));
        }

        foreach (var silo in alone ? cluster.Silos : [])
        {
            var others = cluster.Silos.Where(s => s != silo).ToList();
            await Task.WhenAll(others.Select(static s => s.KillAsync()));
            Assert.Equal(points, await silo.Rest.AllPointsAsync(collection));
            Assert.Equal(expected, await Answers.OfAsync(silo.Rest, collection));
            await Task.WhenAll(others.Select(static s => s.StartAsync()));
            await cluster.SettledAsync();
        }
    }
}
