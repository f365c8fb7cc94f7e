using System.Text.Json;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>A set, its queries and their exact neighbours, to count peers' answers against.</summary>
internal sealed class PeerTruth(string folder, Distance distance, int queries)
{
    private readonly VectorData _files = new(folder);

    public int Rows => _files.Base.Count;

    public int Size => _files.Base.Size;

    public int Queries => Math.Min(queries, _files.Queries.Count);

    /// <summary>The share of the true best k found; an answer counts by its distance, since vectors repeat.</summary>
    public double Recall(JsonElement ids, int k)
    {
        var found = 0;
        var query = 0;
        foreach (var row in ids.EnumerateArray())
        {
            found += Benchmarks.Recall.Hits(_files.Base, distance, _files.Queries[query], _files.Truth[query], k,
                row.EnumerateArray().Select(id => id.GetInt32()).Distinct());
            query++;
        }

        return query == Queries ? (double)found / (query * k)
            : throw new PeerException($"{query} answers to {Queries} queries");
    }
}
