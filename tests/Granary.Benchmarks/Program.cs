using Granary.Benchmarks;

// Each benchmark is one word on the command line and one class; `--data` names a folder of vectors and judged collections (see
// tests/Granary.Benchmarks/README.md).
var words = new SortedDictionary<string, Func<Arguments, Task<int>>>(StringComparer.Ordinal)
{
    ["analysers"] = AnalyserBenchmarks.RunAsync,
    ["bare-server"] = BareServer.RunAsync,
    ["bytes"] = BytesBenchmarks.RunAsync,
    ["checkpoint"] = CheckpointBenchmarks.RunAsync,
    ["cluster-bell"] = ClusterBellBenchmarks.RunAsync,
    ["cluster-cost"] = ClusterCostBenchmarks.RunAsync,
    ["cluster-hybrid"] = ClusterHybridBenchmarks.RunAsync,
    ["cluster-ingest"] = ClusterIngestBenchmarks.RunAsync,
    ["cluster-join"] = ClusterJoinBenchmarks.RunAsync,
    ["cluster-scale"] = ClusterScaleBenchmarks.RunAsync,
    ["crash"] = CrashBenchmarks.RunAsync,
    ["disk-full"] = DiskFullBenchmarks.RunAsync,
    ["filter-ratio"] = FilterRatioBenchmarks.RunAsync,
    ["database-peers"] = DatabasePeerBenchmarks.RunAsync,
    ["filtered"] = FilteredBenchmarks.RunAsync,
    ["http-cost"] = HttpCostBenchmarks.RunAsync,
    ["http-ingest"] = HttpIngestBenchmarks.RunAsync,
    ["hybrid"] = HybridBenchmarks.RunAsync,
    ["import"] = ImportBenchmarks.RunAsync,
    ["ingest"] = IngestBenchmarks.RunAsync,
    ["fusion-sweep"] = FusionSweepBenchmarks.RunAsync,
    ["fuzz"] = FuzzBenchmarks.RunAsync,
    ["growth"] = GrowthBenchmarks.RunAsync,
    ["granary-peer"] = GranaryPeer.RunAsync,
    ["json"] = JsonBenchmarks.RunAsync,
    ["lag"] = LagBenchmarks.RunAsync,
    ["larger-than-memory"] = LargerThanMemoryBenchmarks.RunAsync,
    ["memory"] = MemoryBenchmarks.RunAsync,
    ["restart"] = RestartBenchmarks.RunAsync,
    ["vectors"] = VectorBenchmarks.RunAsync,
    ["peers"] = PeerBenchmarks.RunAsync,
    ["quality"] = QualityBenchmarks.RunAsync,
    ["search"] = SearchBenchmarks.RunAsync,
    ["granary-text-peer"] = TextPeer.RunAsync,
    ["text-compaction"] = TextCompactionBenchmarks.RunAsync,
    ["text-peers"] = TextPeerBenchmarks.RunAsync,
    ["storage"] = StorageBenchmarks.RunAsync,
};

if (args.Length == 0 || !words.TryGetValue(args[0], out var run))
{
    Console.Error.WriteLine($"Usage: benchmarks {string.Join('|', words.Keys)} [--name value ...]");
    return 2;
}

// A peer's standard output is a protocol, a server's announces its address.
if (args[0] is "granary-peer" or "granary-text-peer" or "bare-server")
    return await run(new Arguments(args[1..]));
Console.WriteLine(Machine.Describe());
Console.WriteLine($"command: dotnet run -c Release --project tests/Granary.Benchmarks -- {string.Join(' ', args)}");
return await run(new Arguments(args[1..]));
