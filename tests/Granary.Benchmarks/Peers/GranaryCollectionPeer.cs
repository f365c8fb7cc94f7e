using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>A collection of the engine in this process, with its log and checkpoints in files: what compares with a database.</summary>
internal sealed class GranaryCollectionPeer : GranaryPeer
{
    private const int Batch = 500;
    private EmbeddedDatabase? _database;
    private ICollection? _collection;

    protected override string Settings => "in process, a collection with its log in files; RRF with k=60 of legs of 100";

    public override async ValueTask DisposeAsync()
    {
        if (_database is not null)
            await _database.DisposeAsync();
    }

    protected override async Task<JsonObject> BuildAsync(int m, int efConstruct, int threads)
    {
        await DisposeAsync();
        _database = await EmbeddedDatabase.OpenAsync();
        var dense = new DenseVectorSchema("", Base.Size, Distance) { Hnsw = new HnswSettings { M = m, EfConstruct = efConstruct } };
        await _database.Database.CreateCollectionAsync("points", new CollectionConfig
        {
            Schema = new IndexSchema { Dense = [dense], Text = Texts is null ? [] : [new TextFieldSchema("text", "text")] },
            Ingestion = new IngestionSettings { AdmissionTimeout = TimeSpan.FromMinutes(5) },
        });
        _collection = await _database.Database.GetCollectionAsync("points");
        for (var from = 0; from < Base.Count; from += Batch)
            await _collection.WriteAsync(Points(from, Math.Min(Batch, Base.Count - from)), new WriteOptions());
        await _collection.WaitAsync();
        return new JsonObject { ["disk"] = _database.DiskBytes };
    }

    protected override Action<int, int[]> Searcher(string what, int k, int? ef) => (number, found) =>
    {
        var answer = _collection!.QueryAsync(Request(what, number, k, ef));
        var hits = answer.IsCompleted ? answer.Result : answer.AsTask().GetAwaiter().GetResult();
        for (var i = 0; i < k; i++)
            found[i] = i < hits.Count ? (int)hits[i].Id.Number : -1;
    };

    private QueryRequest Request(string what, int number, int k, int? ef)
    {
        var parameters = new SearchParams { HnswEf = ef };
        var nearest = new NearestQuery(new DenseInput(Queries.Row(number)));
        if (what == "dense")
            return new QueryRequest { Query = nearest, Limit = k, Params = parameters };
        var text = new NearestQuery(new TextInput(Texts!.Queries[number]));
        if (what == "text")
            return new QueryRequest { Query = text, Using = "text", Limit = k };
        return new QueryRequest
        {
            Prefetches =
            [
                new Prefetch { Query = nearest, Limit = 100, Params = parameters },
                new Prefetch { Query = text, Using = "text", Limit = 100 },
            ],
            Query = new RrfQuery(60, []),
            Limit = k,
        };
    }

    private WriteBatch Points(int from, int count)
    {
        var batch = new WriteBatch();
        for (var row = from; row < from + count; row++)
        {
            batch.Operations.Begin(Index.Operations.OperationKind.Upsert, new PointId((ulong)row));
            if (Texts is not null)
                batch.Operations.Payload(JsonSerializer.SerializeToUtf8Bytes(new { text = Texts.Documents[row] }));
            batch.Operations.Dense("", Base[row]);
            batch.Operations.End();
        }

        return batch;
    }
}
