using System.Text.Json.Nodes;
using Granary.Index;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Benchmarks;

/// <summary>One dense field, as a partition holds it: what compares with a library of vectors.</summary>
internal sealed class GranaryFieldPeer : GranaryPeer
{
    private DenseVectorSchema? _schema;
    private DenseField? _field;

    protected override string Settings => "in process, one dense field as a partition holds it, scores of the answer exact float32";

    public override ValueTask DisposeAsync()
    {
        _field?.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override Task<JsonObject> BuildAsync(int m, int efConstruct, int threads, int batch)
    {
        _field?.Dispose();
        _schema = new DenseVectorSchema("", Base.Size, Distance) { Hnsw = new HnswSettings { M = m, EfConstruct = efConstruct } };
        _field = new DenseField(_schema, new EpochClock());
        for (var row = 0; row < Base.Count; row++)
            _field.Add(Base[row], row);
        while (_field.Link(1000, threads, CancellationToken.None) > 0)
        {
        }

        return Task.FromResult(new JsonObject { ["bytes"] = _field.Bytes });
    }

    protected override Action<int, int[]> Searcher(string what, int k, int? ef)
    {
        var query = new DenseQuery(_schema!, Queries[0]);
        var hits = new List<SlotHit>(k);
        var filter = default(VectorBenchmarks.AllSlots);
        return (number, found) =>
        {
            hits.Clear();
            query.Set(Queries[number]);
            _field!.Search(new DenseSearch(query, k) { Ef = ef }, ref filter, hits);
            for (var i = 0; i < k; i++)
                found[i] = i < hits.Count ? hits[i].Slot : -1;
        };
    }
}
