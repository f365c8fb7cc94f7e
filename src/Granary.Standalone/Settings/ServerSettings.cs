using Granary.Client;
using Granary.Collections;
using Granary.Embeddings;
using Granary.Http;
using Granary.Index;

namespace Granary.Standalone.Settings;

/// <summary>The settings, checked and typed.</summary>
internal sealed record ServerSettings
{
    public required string[] Urls { get; init; }

    public required EmbeddedGranaryOptions Engine { get; init; }

    public required GranaryHttpOptions Http { get; init; }

    public required TimeSpan StopTimeout { get; init; }

    public required LogLevel LogLevel { get; init; }

    /// <summary>Reads and checks every setting.</summary>
    /// <exception cref="GranaryException">A value breaks its rule.</exception>
    public static ServerSettings From(SettingValues values) => From(values, ReadEngine(values).Storage);

    /// <summary>As above, with a storage that was read elsewhere.</summary>
    /// <exception cref="GranaryException">A value breaks its rule.</exception>
    public static ServerSettings From(SettingValues values, string storage) => new()
    {
        Urls = ReadRequiredUrls(values),
        Engine = ReadEngine(values, storage),
        Http = new GranaryHttpOptions
        {
            ApiKey = values.Text(AllSettings.ApiKey),
            ReadOnlyApiKey = values.Text(AllSettings.ReadOnlyApiKey),
            MaxRequestBytes = values.Number(AllSettings.MaxRequestMb, 1, 2047) << 20,
            EnableCors = values.Flag(AllSettings.Cors),
            Compression = values.Flag(AllSettings.Compression),
            Ingestion = ReadIngestion(values),
        },
        StopTimeout = TimeSpan.FromSeconds(values.Number(AllSettings.StopTimeout, 0, 3600)),
        LogLevel = Enum.Parse<LogLevel>(
            values.Word(AllSettings.LogLevel, "trace", "debug", "information", "warning", "error", "critical", "none"), ignoreCase: true),
    };

    /// <summary>Reads what opening a database in this process needs.</summary>
    public static EmbeddedGranaryOptions ReadEngine(SettingValues values)
    {
        var storage = values.Required(AllSettings.Storage);
        GranaryStorage.Split(storage);
        return ReadEngine(values, storage);
    }

    private static EmbeddedGranaryOptions ReadEngine(SettingValues values, string storage)
    {
        var timeout = TimeSpan.FromSeconds(values.Number(AllSettings.EmbeddingTimeout, 1, 3600));
        var batch = (int)values.Number(AllSettings.EmbeddingBatch, 1, 2048);
        return new EmbeddedGranaryOptions
        {
            Storage = storage,
            Durability = values.Word(AllSettings.Durability, "process", "disk") == "disk"
                ? Collections.Ports.Durability.Disk : Collections.Ports.Durability.Process,
            Embeddings = values.Word(AllSettings.Embeddings, "builtin", "openai", "none") != "none",
            EmbeddingGenerator = ReadGenerator(values, timeout, batch),
            Database = new DatabaseOptions
            {
                EmbeddingBatchSize = batch,
                EmbeddingTimeout = timeout,
                EmbeddingConcurrency = (int)values.Number(AllSettings.EmbeddingConcurrency, 1, 64),
            },
        };
    }

    private static OpenAiEmbeddingGenerator? ReadGenerator(SettingValues values, TimeSpan timeout, int batch)
    {
        var dimensions = (int)values.Number(AllSettings.EmbeddingDimensions, 0, DenseVectorSchema.MaxSize);
        if (values.Word(AllSettings.Embeddings, "builtin", "openai", "none") != "openai")
            return null;
        if (!Uri.TryCreate(values.Required(AllSettings.EmbeddingUrl), UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https"))
            throw values.Wrong(AllSettings.EmbeddingUrl, "must begin with http:// or https://");
        return new OpenAiEmbeddingGenerator(new OpenAiOptions
        {
            BaseUrl = url,
            Model = values.Required(AllSettings.EmbeddingModel),
            ApiKey = values.Text(AllSettings.EmbeddingKey),
            Dimensions = dimensions == 0 ? null : dimensions,
            Timeout = timeout,
            BatchSize = batch,
        });
    }

    private static IngestionSettings ReadIngestion(SettingValues values) => new()
    {
        Mode = values.Word(AllSettings.IndexingMode, "asynchronous", "synchronous") == "synchronous"
            ? IndexingMode.Synchronous : IndexingMode.Asynchronous,
        QueueCapacity = (int)values.Number(AllSettings.QueueCapacity, 1, 10_000_000),
        BatchSize = (int)values.Number(AllSettings.LinkBatch, 1, 1_000_000),
        BatchDelay = TimeSpan.FromMilliseconds(values.Number(AllSettings.LinkDelay, 0, 3_600_000)),
        AdmissionTimeout = TimeSpan.FromMilliseconds(values.Number(AllSettings.AdmissionTimeout, 0, 3_600_000)),
        LinkParallelism = (int)values.Number(AllSettings.LinkParallelism, 0, 1024),
        CheckpointOperations = values.Number(AllSettings.CheckpointOperations, 1, long.MaxValue),
        CheckpointLogBytes = values.Number(AllSettings.CheckpointLogMb, 1, 1 << 20) << 20,
    };

    /// <summary>Reads addresses to listen on, separated by semicolons.</summary>
    /// <exception cref="GranaryException">One is none; the message shows the setting's default.</exception>
    public static string[] ReadUrls(SettingValues values, Setting setting)
    {
        var urls = (values.Text(setting) ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var url in urls)
        {
            // Kestrel also takes http://*:6333 and http://+:6333, which are no URIs.
            if (!Uri.TryCreate(url.Replace("://*", "://any", StringComparison.Ordinal).Replace("://+", "://any", StringComparison.Ordinal),
                UriKind.Absolute, out var uri)
                || uri.Scheme is not ("http" or "https"))
                throw values.Wrong(setting, $"must be addresses such as {setting.Default}");
        }

        return urls;
    }

    private static string[] ReadRequiredUrls(SettingValues values)
    {
        values.Required(AllSettings.Urls);
        return ReadUrls(values, AllSettings.Urls);
    }
}
