namespace Granary.Benchmarks;

/// <summary>Several peers on one set, each with its index: recall first, then rounds that go from peer to peer.</summary>
internal sealed class PeerRounds(PeerSettings settings, string set, IReadOnlyList<PeerProcess> processes)
{
    private readonly List<PeerRun> _runs = [.. processes.Select(process => new PeerRun(process))];

    public IReadOnlyList<PeerRun> Runs => _runs;

    public PeerTruth Truth { get; } =
        new(Path.Combine(settings.Data, set), PeerSettings.DistanceOf(set), settings.Queries);

    /// <summary>Builds each index, one after the other, so many times in turn; a peer that cannot hold the set is left out.</summary>
    public async Task BuildAsync(int rounds, bool texts = false)
    {
        foreach (var run in _runs.ToArray())
            await TryAsync(run, () => run.LoadAsync(settings, set, texts));
        for (var round = 0; round < rounds; round++)
        {
            foreach (var run in Turn([.. _runs], round))
                await TryAsync(run, () => run.BuildAsync(settings));
        }
    }

    private async Task TryAsync(PeerRun run, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (PeerException e)
        {
            Console.WriteLine($"{e.Message}\n");
            _runs.Remove(run);
        }
    }

    /// <summary>Sweeps the efforts, then steps closer to each recall that is compared at.</summary>
    public async Task SweepAsync(double[] targets)
    {
        var best = targets.Max() + 0.004;
        for (var more = true; more;)
        {
            more = false;
            foreach (var run in _runs)
                more |= await run.SweepAsync(Truth, best);
        }

        foreach (var target in targets)
        {
            foreach (var run in _runs)
                await run.NarrowAsync(Truth, target);
        }
    }

    /// <summary>The order of a round: every second one goes the other way, so that nobody always comes first.</summary>
    public static IEnumerable<T> Turn<T>(IReadOnlyList<T> runs, int round) => round % 2 == 0 ? runs : runs.Reverse();

    /// <summary>Times the efforts around each recall on so many threads.</summary>
    public async Task TimeAsync(double[] targets, int threads)
    {
        for (var round = 0; round < settings.Rounds; round++)
        {
            foreach (var target in targets)
            {
                foreach (var low in new[] { true, false })
                {
                    foreach (var run in Turn(_runs, round))
                        await run.TimeAsync(target, low, threads, round);
                }
            }
        }
    }
}
