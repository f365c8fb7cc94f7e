using System.Collections.Immutable;
using Granary.Collections;
using Granary.Embeddings;
using Granary.Index;

namespace Granary.Standalone.Tests.Client;

/// <summary>A collection none of whose settings is the default.</summary>
internal static class EverySetting
{
    private static readonly AnalyzerSettings Analyzer = new()
    {
        Tokenizer = "whitespace",
        Language = "english",
        Lowercase = false,
        AsciiFolding = false,
        Stem = false,
        StemmerLanguage = "english",
        StopWords = ["a", "the"],
        MinTokenLength = 2,
        MaxTokenLength = 30,
    };

    public static CollectionConfig Config { get; } = new()
    {
        Schema = new IndexSchema
        {
            Dense =
            [
                new DenseVectorSchema("dense", 100, Distance.Manhattan)
                {
                    Hnsw = new HnswSettings { M = 8, EfConstruct = 77, Ef = 99, FullScanThreshold = 1234 },
                    Storage = VectorStorage.Float32,
                },
                new DenseVectorSchema("matrix", 4, Distance.Dot) { MultiVector = true },
            ],
            Sparse = [new SparseVectorSchema("words", true), new SparseVectorSchema("plain", false)],
            Text = [new TextFieldSchema("text", "body.text")
            {
                K1 = 1.7f,
                B = 0.3f,
                Analyzer = Analyzer,
            }, new TextFieldSchema("title", "t")],
            PayloadIndexes =
            [
                new PayloadIndexSchema("kind", PayloadIndexType.Keyword),
                new PayloadIndexSchema("count", PayloadIndexType.Integer) { Lookup = false },
                new PayloadIndexSchema("rank", PayloadIndexType.Integer) { Range = false },
                new PayloadIndexSchema("body", PayloadIndexType.Text) { Analyzer = Analyzer, Phrase = true },
            ],
        },
        Partitions = 3,
        Ingestion = new IngestionSettings
        {
            Mode = IndexingMode.Synchronous,
            QueueCapacity = 500,
            BatchSize = 7,
            BatchDelay = TimeSpan.FromMilliseconds(11),
            AdmissionTimeout = TimeSpan.FromMilliseconds(1500),
            LinkParallelism = 1,
            CheckpointOperations = 5000,
            CheckpointLogBytes = 1 << 20,
        },
        Embeddings = [new EmbeddingRule("dense", "body.text", GloveEmbeddingGenerator.ModelName)],
        Declared = ImmutableDictionary<string, string>.Empty
            .Add("metadata", """{"owner":"somebody","n":[1,2]}""")
            .Add("strict_mode_config", """{"enabled":true,"max_query_limit":50}"""),
    };
}
