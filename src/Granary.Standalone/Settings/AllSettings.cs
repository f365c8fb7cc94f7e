namespace Granary.Standalone.Settings;

/// <summary>
/// Every setting of the server. Help, appsettings.json, environment variables and docs/configuration.md follow this list; a test compares
/// them.
/// </summary>
internal static class AllSettings
{
    public static readonly Setting Urls =
        new("urls", "http://127.0.0.1:6333", "Addresses to listen on, separated by semicolons; port 0 takes a free one.");
    public static readonly Setting Storage =
        new("storage", "file:./granary-data", "Where data is kept: mem:, file:PATH (one folder), sqlite:PATH (one database file) or "
            + "postgres://USER:PASSWORD@HOST:PORT/DATABASE.");
    public static readonly Setting Durability = new("durability", "process",
        "When a write is acknowledged: process (the operating system has it, synced within 100 ms) or disk (synced).");
    public static readonly Setting ApiKey = new("api-key", "", "The key every request must bring; empty: none is needed.");
    public static readonly Setting ReadOnlyApiKey = new("read-only-api-key", "", "A second key that may only read; empty: there is none.");
    public static readonly Setting Embeddings = new("embeddings", "builtin",
        "Computes vectors from text: builtin (GloVe means, 100 dimensions, no network), openai (any compatible endpoint) or none.");
    public static readonly Setting EmbeddingUrl =
        new("embedding-url", "https://api.openai.com/v1", "Base address of the endpoint for --embeddings openai; /embeddings is appended.");
    public static readonly Setting EmbeddingModel =
        new("embedding-model", "text-embedding-3-small", "The model asked for with --embeddings openai.");
    public static readonly Setting EmbeddingKey = new("embedding-key", "", "The key sent to the endpoint as a bearer token; empty: none.");
    public static readonly Setting EmbeddingDimensions =
        new("embedding-dimensions", "0", "Dimensions asked of the endpoint; 0: the model's own.");
    public static readonly Setting EmbeddingTimeout =
        new("embedding-timeout", "30", "Seconds one call of the embedder may take, 1 to 3600; a call is tried three times.");
    public static readonly Setting EmbeddingBatch = new("embedding-batch", "64", "Texts embedded in one call, 1 to 2048.");
    public static readonly Setting EmbeddingConcurrency =
        new("embedding-concurrency", "2", "Calls of the embedder under way at once, 1 to 64.");
    public static readonly Setting IndexingMode = new("indexing-mode", "asynchronous",
        "Of new collections that name none: asynchronous (a write is acknowledged once logged) or synchronous (once linked).");
    public static readonly Setting QueueCapacity = new("queue-capacity", "10000", "Operations a partition may have logged and not linked "
        + "before writers wait, 1 to 10000000; for new collections that name none.");
    public static readonly Setting LinkBatch =
        new("link-batch", "100", "Operations linked together, 1 to 1000000; for new collections that name none.");
    public static readonly Setting LinkDelay =
        new("link-delay", "50", "Milliseconds an operation waits for its batch to fill, 0 to 3600000; for new collections that name none.");
    public static readonly Setting LinkParallelism =
        new("link-parallelism", "0", "Threads that link, 0 to 1024; 0: one per core; for new collections that name none.");
    public static readonly Setting AdmissionTimeout = new("admission-timeout", "10000",
        "Milliseconds a writer waits for room in the queue before it gets 429, 0 to 3600000; for new collections that name none.");
    public static readonly Setting CheckpointOperations = new("checkpoint-operations", "200000",
        "A checkpoint is taken after so many operations, at least 1; for new collections that name none.");
    public static readonly Setting CheckpointLogMb =
        new("checkpoint-log-mb", "256", "... or after so many MiB of log, 1 to 1048576; for new collections that name none.");
    public static readonly Setting MaxRequestMb =
        new("max-request-mb", "32", "The largest request body in MiB, 1 to 2047; past it the answer is 413.");
    public static readonly Setting Cors = new("cors", "true", "Whether browsers of any origin may call: true or false.");
    public static readonly Setting Compression =
        new("compression", "true", "Whether answers are compressed for callers that accept gzip: true or false.");
    public static readonly Setting StopTimeout = new("stop-timeout", "30", "Seconds that requests under way get when the server stops, 0 "
        + "to 3600; queues are drained after that however long it takes.");
    public static readonly Setting LogLevel =
        new("log-level", "warning", "What is logged to standard error: trace, debug, information, warning, error, critical or none.");

    /// <summary>Those that say where data is and how text is embedded: what a command without a server needs, too.</summary>
    public static readonly IReadOnlyList<Setting> Engine =
    [
        Storage, Durability, Embeddings, EmbeddingUrl, EmbeddingModel, EmbeddingKey, EmbeddingDimensions, EmbeddingTimeout, EmbeddingBatch,
            EmbeddingConcurrency,
    ];

    /// <summary>All of them, in the order of the help.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        Urls, .. Engine, ApiKey, ReadOnlyApiKey, IndexingMode, QueueCapacity, LinkBatch, LinkDelay, LinkParallelism, AdmissionTimeout,
            CheckpointOperations,
        CheckpointLogMb, MaxRequestMb, Cors, Compression, StopTimeout, LogLevel,
    ];
}
