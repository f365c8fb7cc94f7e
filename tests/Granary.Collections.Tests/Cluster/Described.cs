using System.Globalization;
using System.Text;
using Granary.Collections.Searching;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Index.Operations;
using Granary.Index.Search;

namespace Granary.Collections.Tests.Cluster;

/// <summary>What a partition has, to the bit, and operations to fill it with.</summary>
internal static class Described
{
    private static readonly ReadOptions Loose = new() { Strong = false };

    /// <summary>Every point, and the scores of some exact queries, as text.</summary>
    public static async Task<List<string>> AllAsync(IPartitionSearch search, ReadOptions? read = null)
    {
        read ??= Loose;
        var lines = new List<string>();
        var all = await search.SearchAsync(
            new PartitionRequest([new ScanLeg { Limit = 100_000 }], read)
            {
                Fetch = new PointSelection(PayloadSelector.All, new VectorSelector(true)),
            },
            default);
        foreach (var point in all.Points!)
        {
            var vectors = point.Vectors!.Value.OrderBy(v => v.Name, StringComparer.Ordinal)
                .Select(v => $"{v.Name}=[{string.Join(",", v.Values)}]");
            lines.Add($"{point.Id} @{point.Version} {Encoding.UTF8.GetString(point.Payload!.Value.Span)} {string.Join(" ", vectors)}");
        }

        Leg[] legs =
        [
            new DenseLeg("", new float[] { 1, -1, 0.5f, 0, 0, 2, 0, 1 }) { Exact = true, Limit = 50 },
            new DenseLeg("", new float[] { -0.3f, 0.7f, 0.11f, -1.9f, 0.05f, 0.6f, 0.2f, -0.4f })
            {
                Exact = true,
                Limit = 50,
                Filter = Batches.Has("n", 1),
            },
            new TextLeg("text", "alpha beta") { Limit = 50 },
            new TextLeg("text", "gamma") { Limit = 3, Filter = Batches.Has("n", 3) },
        ];
        var answer = await search.SearchAsync(new PartitionRequest(legs, read), default);
        for (var i = 0; i < legs.Length; i++)
        {
            lines.AddRange(answer.Legs[i].Hits.Select(h => string.Create(
                CultureInfo.InvariantCulture, $"{i} {h.Id} {BitConverter.SingleToUInt32Bits(h.Score):X8}")));
        }

        return lines;
    }

    /// <summary>Upserts of these ids.</summary>
    public static (ReadOnlyMemory<byte> Bytes, int Count) Upserts(params ulong[] ids)
    {
        var writer = new OperationWriter();
        foreach (var id in ids)
        {
            writer.Begin(OperationKind.Upsert, new PointId(id));
            writer.Dense("", new float[] { id, 1, 0, 0, 0, 0, 0, 0 });
            writer.End();
        }

        var count = writer.Count;
        return (writer.Detach(), count);
    }

    /// <summary>How many points there are, as far as is applied.</summary>
    public static ValueTask<long> CountAsync(IPartitionSearch search, ReadOptions? read = null) =>
        search.CountAsync(null, true, read ?? Loose, default);
}
