using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>A collection of the engine in this process, with its log and checkpoints in files: what compares with a database.</summary>
internal sealed class GranaryCollectionPeer : GranaryPeer
{
    // Points of a collection of its own before the clock starts: a database that has run for a while has compiled its code.
    private const int Warm = 5000;
    private const int Probes = 20;
    private EmbeddedDatabase? _database;
    private ICollection? _collection;

    protected override string Settings =>
        "in process, a collection with its log in files, warmed by 5,000 points; RRF with k=60";

    public override async ValueTask DisposeAsync()
    {
        if (_database is not null)
            await _database.DisposeAsync();
    }

    protected override async Task<JsonObject> BuildAsync(int m, int efConstruct, int threads, int batch)
    {
        await DisposeAsync();
        _database = await EmbeddedDatabase.OpenAsync();
        await MakeAsync("warm", m, efConstruct, Math.Min(Warm, Base.Count), batch);
        await _database.Database.DeleteCollectionAsync("warm");
        Restart();
        _collection = await MakeAsync("points", m, efConstruct, Base.Count, batch);
        return new JsonObject { ["disk"] = _database.DiskBytes };
    }

    private async Task<ICollection> MakeAsync(string name, int m, int efConstruct, int count, int batch)
    {
        var dense = new DenseVectorSchema("", Base.Size, Distance) { Hnsw = new HnswSettings { M = m, EfConstruct = efConstruct } };
        await _database!.Database.CreateCollectionAsync(name, new CollectionConfig
        {
            Schema = new IndexSchema { Dense = [dense], Text = Texts is null ? [] : [new TextFieldSchema("text", "text")] },
            Ingestion = new IngestionSettings { AdmissionTimeout = TimeSpan.FromMinutes(5) },
        });
        var collection = await _database.Database.GetCollectionAsync(name);
        for (var from = 0; from < count; from += batch)
            await collection.WriteAsync(Points(from, Math.Min(batch, count - from)), new WriteOptions());
        await collection.WaitAsync();
        await CheckFoundAsync(collection, count);
        return collection;
    }

    // As checkFound in driver.mjs.
    private async Task CheckFoundAsync(ICollection collection, int count)
    {
        var found = 0;
        for (var probe = 0; probe < Probes; probe++)
        {
            var row = (int)((long)probe * (count - 1) / (Probes - 1));
            var vector = Base.Row(row);
            var hits = await collection.QueryAsync(new QueryRequest { Query = new NearestQuery(new DenseInput(vector)), Limit = 10 });
            found += hits.Any(hit => Base[(int)hit.Id.Number].SequenceEqual(vector.Span)) ? 1 : 0;
        }

        if (found < Probes * 4 / 5)
            throw new IOException($"{Probes - found} of {Probes} rows are not found after the build");
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
        // What LanceDB does for a limit: both legs as deep as the answer, or deeper legs with a deeper answer.
        var depth = what == "hybrid-100" ? 100 : k;
        var text = new NearestQuery(new TextInput(Texts!.Queries[number]));
        if (what == "text")
            return new QueryRequest { Query = text, Using = "text", Limit = k };
        return new QueryRequest
        {
            Prefetches =
            [
                new Prefetch { Query = nearest, Limit = depth, Params = parameters },
                new Prefetch { Query = text, Using = "text", Limit = depth },
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
