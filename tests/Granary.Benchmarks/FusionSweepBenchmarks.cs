using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Granary.Benchmarks;

/// <summary>
/// The constants of the default fusion, chosen on one half of each judged set's queries and judged on the other. Halves are by a hash of
/// the query's id and a seed. The choice is the setting whose smallest distance to a bar over the sets is largest: nDCG@10 at least that of
/// the better leg less 0.005 and that of RRF (k = 60), Recall@100 at least RRF's less 0.005.
/// </summary>
internal static class FusionSweepBenchmarks
{
    private const int Bm25 = 0;
    private const int Dense = 1;
    private const int Rrf = 2;
    private const int Shipped = 3;
    private const double Bar = 0.005;

    private static readonly FusionConstants ShippedConstants = new(
        Index.Fusion.ConvexFusion.SimilarityWeight, 2, Index.Fusion.Feedback.Points, Index.Fusion.Feedback.QueryShare);

    public static async Task<int> RunAsync(Arguments arguments)
    {
        int seed = arguments.Number("seed", 1), seeds = arguments.Number("seeds", 20);
        FusionConstants[] settings = [ShippedConstants, .. Grid()];
        var sets = new List<SetFigures>();
        foreach (var name in arguments.Text("sets", "cranfield,cisi,med,cacm,debian-384").Split(','))
            sets.Add(await MeasureAsync(JudgedSet.Open(arguments.Data, name), arguments.Number("depth", 100), settings));
        var chosen = Choose(sets, seed, settings.Length);
        Console.WriteLine($"\n{settings.Length - 1} settings; shipped: {settings[0]}; chosen on the training halves of seed {seed}: "
            + $"{settings[chosen]}\n");
        Console.WriteLine("nDCG@10 / Recall@100\n");
        Console.WriteLine("| set | queries | BM25 | dense | RRF, k = 60 | shipped | distance to its bar | chosen | distance to its bar |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var (half, label) in new[] { (2, "all"), (0, "training"), (1, "test") })
        {
            foreach (var set in sets)
            {
                int[] methods = [Bm25, Dense, Rrf, Shipped, Shipped + chosen];
                var figures = methods.Select(method => set.Mean(method, seed, half)).ToArray();
                Console.WriteLine(Invariant($"| {set.Name} | {label}, {set.Count(seed, half)} | {Text(figures[0])} | {Text(figures[1])} ")
                    + Invariant($"| {Text(figures[2])} | {Text(figures[3])} | {set.Distance(Shipped, seed, half):+0.0000;-0.0000} ")
                    + Invariant($"| {Text(figures[4])} | {set.Distance(Shipped + chosen, seed, half):+0.0000;-0.0000} |"));
            }
        }

        Repeat(sets, settings, seeds);
        return 0;
    }

    private static IEnumerable<FusionConstants> Grid() =>
        from power in new[] { 1, 1.5, 2 }
        from points in new[] { 0, 1, 2, 3, 5 }
        from share in points == 0 ? [1] : new[] { 0.3, 0.5, 0.7 }
        from step in Enumerable.Range(6, 15)
        select new FusionConstants(step * 0.05, power, points, share);

    private static async Task<SetFigures> MeasureAsync(JudgedSet set, int depth, FusionConstants[] settings)
    {
        await using var database = await EmbeddedDatabase.OpenAsync();
        var collection = await HybridBenchmarks.LoadAsync(database.Database, set, 1);
        var figures = new SetFigures(set.Name);
        for (var query = 0; query < set.Queries.Count; query++)
        {
            if (set.Measure(query, []) is null)
                continue;
            var found = await FusionCandidates.AskAsync(collection, set, query, depth);
            figures.Add(set.QueryIds[query], [
                set.Measure(query, found.Text)!.Value, set.Measure(query, found.Dense)!.Value,
                set.Measure(query, found.Rrf(60))!.Value,
                .. settings.Select(constants => set.Measure(query, found.Convex(constants))!.Value)]);
        }

        return figures;
    }

    private static int Choose(List<SetFigures> sets, int seed, int settings) =>
        Enumerable.Range(0, settings).MaxBy(setting => sets.Min(set => set.Distance(Shipped + setting, seed, 0)));

    /// <summary>The same over many splits: one split of small sets says little.</summary>
    private static void Repeat(List<SetFigures> sets, FusionConstants[] settings, int seeds)
    {
        int shippedHeld = 0, chosenHeld = 0, rrfHeld = 0, anyHeld = 0;
        var shipped = new double[sets.Count];
        var chosen = new double[sets.Count];
        var choices = new Dictionary<FusionConstants, int>();
        for (var seed = 1; seed <= seeds; seed++)
        {
            var choice = Choose(sets, seed, settings.Length);
            choices[settings[choice]] = choices.GetValueOrDefault(settings[choice]) + 1;
            shippedHeld += sets.All(set => set.Distance(Shipped, seed, 1) >= 0) ? 1 : 0;
            chosenHeld += sets.All(set => set.Distance(Shipped + choice, seed, 1) >= 0) ? 1 : 0;
            rrfHeld += sets.All(set => set.Distance(Rrf, seed, 1) >= 0) ? 1 : 0;
            anyHeld += Enumerable.Range(Shipped, settings.Length)
                .Any(method => sets.All(set => set.Distance(method, seed, 1) >= 0)) ? 1 : 0;
            for (var i = 0; i < sets.Count; i++)
            {
                shipped[i] += sets[i].Distance(Shipped, seed, 1) / seeds;
                chosen[i] += sets[i].Distance(Shipped + choice, seed, 1) / seeds;
            }
        }

        Console.WriteLine($"\nOver {seeds} splits: every bar of the test halves is reached by the shipped constants in {shippedHeld}, "
            + $"by those the training halves chose in {chosenHeld}, by RRF in {rrfHeld}, "
            + $"and by the best of all settings for that very half in {anyHeld}.\n");
        Console.WriteLine("| mean distance to the bar on the test halves | shipped | chosen on the training halves |");
        Console.WriteLine("|---|---|---|");
        for (var i = 0; i < sets.Count; i++)
            Console.WriteLine(Invariant($"| {sets[i].Name} | {shipped[i]:+0.0000;-0.0000} | {chosen[i]:+0.0000;-0.0000} |"));
        Console.WriteLine("\nchosen: " + string.Join("; ", choices.OrderByDescending(pair => pair.Value)
            .Select(pair => $"{pair.Key} ({pair.Value})")));
    }

    private static string Text(Quality quality) => Invariant($"{quality.Ndcg:F3} / {quality.Recall:F3}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Figures of each judged query of a set by each method.</summary>
    private sealed class SetFigures(string name)
    {
        private readonly List<(string Id, Quality[] Methods)> _queries = [];
        private readonly Dictionary<(string Id, int Seed), int> _halves = [];

        public string Name => name;

        public void Add(string id, Quality[] methods) => _queries.Add((id, methods));

        public int Count(int seed, int half) => _queries.Count(query => In(query.Id, seed, half));

        /// <summary>The mean over a half (0 to train on, 1 to test on) or, for 2, over all.</summary>
        public Quality Mean(int method, int seed, int half)
        {
            double ndcg = 0, recall = 0;
            var count = 0;
            foreach (var (id, methods) in _queries)
            {
                if (!In(id, seed, half))
                    continue;
                count++;
                ndcg += methods[method].Ndcg;
                recall += methods[method].Recall;
            }

            return new Quality(ndcg / count, recall / count, 0);
        }

        /// <summary>How far above its bar a method is, by whichever of nDCG@10 and Recall@100 is nearer to it.</summary>
        public double Distance(int method, int seed, int half)
        {
            Quality own = Mean(method, seed, half), rrf = Mean(Rrf, seed, half);
            var single = Math.Max(Mean(Bm25, seed, half).Ndcg, Mean(Dense, seed, half).Ndcg);
            return Math.Min(own.Ndcg - Math.Max(single - Bar, rrf.Ndcg), own.Recall - (rrf.Recall - Bar));
        }

        private bool In(string id, int seed, int half)
        {
            if (half == 2)
                return true;
            if (!_halves.TryGetValue((id, seed), out var own))
                _halves[(id, seed)] = own = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}/{id}"))[0] & 1;
            return own == half;
        }
    }
}
