using System.Globalization;
using Granary.Index;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Benchmarks;

/// <summary>
/// Queries a second at recall@10 of 0.95 under a filter that does not follow the vectors, over those without a filter: one field, one
/// thread, ef swept for both, query by query in turn. The rows of the filter are known as a bitmap.
/// </summary>
internal static class FilterRatioBenchmarks
{
    private const int K = 10;

    public static Task<int> RunAsync(Arguments arguments)
    {
        foreach (var name in arguments.Text("sets", "debian-384,sift-128,glove-100").Split(','))
            Measure(arguments, name);
        return Task.FromResult(0);
    }

    private static void Measure(Arguments arguments, string name)
    {
        var files = new VectorData(Path.Combine(arguments.Data, name));
        var distance = name.StartsWith("sift", StringComparison.Ordinal) ? Distance.Euclid : Distance.Cosine;
        var schema = new DenseVectorSchema(name, files.Base.Size, distance);
        using var field = Open(arguments, files, schema);
        var count = Math.Min(files.Queries.Count, arguments.Number("queries", 300));
        var higher = distance.HigherIsNearer();
        var rounds = arguments.Number("rounds", 5);
        var every = files.Queries.Count / count;
        var queries = Enumerable.Range(0, count).Select(q => new DenseQuery(schema, files.Queries[q * every])).ToArray();
        var widths = arguments.Text("ef", "10,15,20,30,40,60,80,120,160,240").Split(',')
            .Select(e => int.Parse(e, CultureInfo.InvariantCulture)).ToArray();
        foreach (var percent in arguments.Text("percent", "1,10").Split(',').Select(p => double.Parse(p, CultureInfo.InvariantCulture)))
        {
            var mask = Choose(files.Base.Count, percent / 100);
            var sweep = new Sweep(count, rounds);
            var hits = new List<SlotHit>(64);
            var truth = Truth(files, field, queries, null);
            var inside = Truth(files, field, queries, mask);
            foreach (var ef in widths)
            {
                var all = default(VectorBenchmarks.AllSlots);
                var bits = new MaskFilter(mask);
                sweep.Add($"all {ef}", q => Search(new DenseSearch(queries[q], K) { Ef = ef }, ref all),
                    q => VectorBenchmarks.CountHits(hits, truth[q], higher, K) / (double)K);
                foreach (var way in new[] { MaskedWay.Cheapest, MaskedWay.Scan, MaskedWay.Walk })
                {
                    if (way == MaskedWay.Scan && ef != widths[0])
                        continue;
                    sweep.Add($"{way} {ef}",
                        q => Search(new DenseSearch(queries[q], K) { Ef = ef, Mask = mask, Way = way }, ref bits),
                        q => VectorBenchmarks.CountHits(hits, inside[q], higher, K) / (double)inside[q].Length);
                }
            }

            sweep.Run();
            if (arguments.Number("all", 0) > 0)
            {
                foreach (var (way, recall, micros) in sweep.Results(""))
                    Console.WriteLine($"  {way,-14} recall@10 {recall:F4} mean {micros,8:F1} us");
            }

            var plain = sweep.QueriesAt("all ", 0.95);
            foreach (var way in new[] { "Cheapest ", "Scan ", "Walk " })
            {
                var under = sweep.QueriesAt(way, 0.95);
                Console.WriteLine($"{name} {percent} %: {way}{under:F0}/s under the filter, {plain:F0}/s without: {under / plain:F2}x");
            }

            void Search<TFilter>(in DenseSearch search, ref TFilter filter)
                where TFilter : struct, ISlotFilter
            {
                hits.Clear();
                field.Search(search, ref filter, hits);
            }
        }
    }

    // With --images FOLDER a field that was built once is read from there.
    private static DenseField Open(Arguments arguments, VectorData files, DenseVectorSchema schema)
    {
        var image = arguments.Text("images", "") is { Length: > 0 } folder ? Path.Combine(folder, schema.Name) : null;
        if (File.Exists(image))
        {
            using var file = File.OpenRead(image);
            return DenseField.Load(file, schema, new EpochClock());
        }

        var field = VectorBenchmarks.Build(files, schema, arguments.Number("threads", Environment.ProcessorCount));
        if (image is not null)
        {
            using var file = File.Create(image);
            field.Save(file);
        }

        return field;
    }

    private static RowMask Choose(int rows, double share)
    {
        var random = new Random(7);
        var words = new ulong[(rows + 63) / 64];
        for (var row = 0; row < rows; row++)
        {
            if (random.NextDouble() < share)
                words[row >> 6] |= 1UL << row;
        }

        return new RowMask(words, rows, isExact: true);
    }

    private static float[][] Truth(VectorData files, DenseField field, DenseQuery[] queries, RowMask? mask)
    {
        var higher = field.Schema.Distance.HigherIsNearer();
        return [.. queries.Select((query, q) => mask is null
            ? VectorBenchmarks.TrueScores(files, field, query, files.Truth[q * (files.Queries.Count / queries.Length)], K)
            : [.. Enumerable.Range(0, mask.Bound).Where(mask.Test).Select(row => field.Score(query, row))
                .OrderBy(s => higher ? -s : s).Take(K)])];
    }


    private readonly struct MaskFilter(RowMask mask) : ISlotFilter
    {
        public bool TryAccept(ref int slot) => mask.Test(slot);
    }
}
