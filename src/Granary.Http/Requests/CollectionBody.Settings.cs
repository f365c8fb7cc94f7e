using System.Text.Json;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;

namespace Granary.Http.Requests;

internal static partial class CollectionBody
{
    /// <summary>Graph settings; what is not given comes from <paramref name="basis"/>.</summary>
    internal static HnswSettings ReadHnsw(JsonFields? hnsw, HnswSettings? basis = null)
    {
        basis ??= new HnswSettings();
        if (hnsw is not { } fields)
            return basis;
        fields.Flag("on_disk");
        fields.Flag("inline_storage");
        fields.Count("payload_m");
        fields.Count("max_indexing_threads");
        fields.Count("full_scan_threshold");
        fields.Word("memory", "cold", "cached", "pinned");
        return basis with
        {
            M = fields.Int("m", 0, 10_000) ?? basis.M,
            EfConstruct = fields.Int("ef_construct", 4, 100_000) ?? basis.EfConstruct,
            // Granary's own: the default hnsw_ef, and full_scan_threshold counted in points.
            Ef = fields.Int("ef", 0, 100_000) ?? basis.Ef,
            FullScanThreshold = fields.Int("full_scan_points") ?? basis.FullScanThreshold,
        };
    }

    /// <summary>Checks what only Qdrant's optimizers use.</summary>
    internal static void CheckOptimizers(JsonFields? optimizers)
    {
        if (optimizers is not { } fields)
            return;
        fields.Number("deleted_threshold", 0, 1);
        fields.Count("vacuum_min_vector_number", 100);
        fields.Count("default_segment_number");
        fields.Count("max_segment_size", 1);
        fields.Count("memmap_threshold");
        fields.Count("indexing_threshold");
        fields.Count("flush_interval_sec");
        fields.Flag("prevent_unoptimized");
        if (fields["max_optimization_threads"] is { ValueKind: JsonValueKind.Number })
            fields.Count("max_optimization_threads");
        else
            fields.Word("max_optimization_threads", "auto");
    }

    /// <summary>Checks quantization settings: the index has its own codes, these are only shown again.</summary>
    internal static void CheckQuantization(JsonElement? quantization, string path)
    {
        if (quantization is not { } value)
            return;
        var fields = new JsonFields(value, path);
        if (fields.Object("scalar") is { } scalar)
        {
            if (scalar.Word("type", "int8") is null)
                throw ApiException.Format($"{path}.scalar: missing field `type`");
            if (scalar.Number("quantile") is { } quantile and not (>= 0.5 and <= 1))
                throw ApiException.Invalid($"{path}.scalar.quantile",
                    FormattableString.Invariant($"value {quantile} invalid, must be from 0.5 to 1.0"));
            scalar.Flag("always_ram");
        }
        else if (fields.Object("product") is { } product)
        {
            if (product.Word("compression", "x4", "x8", "x16", "x32", "x64") is null)
                throw ApiException.Format($"{path}.product: missing field `compression`");
            product.Flag("always_ram");
        }
        else if (fields.Object("binary") is { } binary)
        {
            binary.Flag("always_ram");
            binary.Word("encoding", "one_bit", "two_bits", "one_and_half_bits");
        }
        else if (fields.Object("turbo") is { } turbo)
        {
            turbo.Flag("always_ram");
        }
        else
        {
            throw ApiException.Format($"{path}: data did not match any variant of untagged enum QuantizationConfig");
        }
    }

    private static void CheckWal(JsonFields? wal)
    {
        if (wal is not { } fields)
            return;
        fields.Count("wal_capacity_mb", 1);
        fields.Count("wal_segments_ahead");
        fields.Count("wal_retain_closed", 1);
    }

    private static IngestionSettings ReadIngestion(JsonFields? indexing, IngestionSettings basis)
    {
        if (indexing is not { } fields)
            return basis;
        return new IngestionSettings
        {
            Mode = fields.Word("mode", "asynchronous", "synchronous") switch
            {
                "synchronous" => IndexingMode.Synchronous,
                "asynchronous" => IndexingMode.Asynchronous,
                _ => basis.Mode,
            },
            QueueCapacity = fields.Int("queue_capacity", 1, 10_000_000) ?? basis.QueueCapacity,
            BatchSize = fields.Int("batch_size", 1, 1_000_000) ?? basis.BatchSize,
            BatchDelay = Milliseconds(fields, "batch_delay_ms") ?? basis.BatchDelay,
            AdmissionTimeout = Milliseconds(fields, "admission_timeout_ms") ?? basis.AdmissionTimeout,
            LinkParallelism = fields.Int("link_parallelism", 0, 1024) ?? basis.LinkParallelism,
            CheckpointOperations = fields.Count("checkpoint_operations", 1) ?? basis.CheckpointOperations,
            CheckpointLogBytes = fields.Count("checkpoint_log_bytes", 1024) ?? basis.CheckpointLogBytes,
        };
    }

    private static TimeSpan? Milliseconds(JsonFields fields, string name) =>
        fields.Int(name, 0, 3_600_000) is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;

    private static IEnumerable<TextFieldSchema> ReadText(JsonElement? text)
    {
        if (text is not { } value)
            yield break;
        _ = new JsonFields(value, "text");
        foreach (var field in value.EnumerateObject())
        {
            var fields = new JsonFields(field.Value, $"text.{field.Name}");
            var basis = new TextFieldSchema(CheckName(field.Name), fields.RequiredText("path"));
            yield return basis with
            {
                K1 = (float?)fields.Number("k1", 0, TextFieldSchema.MaxK1) ?? basis.K1,
                B = (float?)fields.Number("b", 0, 1) ?? basis.B,
                Analyzer = ReadAnalyzer(fields, new AnalyzerSettings()),
            };
        }
    }

    /// <summary>
    /// How text becomes terms: <c>tokenizer</c>, <c>language</c>, <c>lowercase</c>, <c>ascii_folding</c>, <c>stem</c>, <c>stopwords</c>,
    /// lengths.
    /// </summary>
    internal static AnalyzerSettings ReadAnalyzer(JsonFields fields, AnalyzerSettings basis) => basis with
    {
        Tokenizer = fields.Word("tokenizer", "word", "whitespace", "prefix", "multilingual") ?? basis.Tokenizer,
        Language = fields.Text("language") ?? basis.Language,
        Lowercase = fields.Flag("lowercase") ?? basis.Lowercase,
        AsciiFolding = fields.Flag("ascii_folding") ?? basis.AsciiFolding,
        Stem = fields.Flag("stem") ?? basis.Stem,
        StemmerLanguage = fields.Text("stemmer_language") ?? basis.StemmerLanguage,
        StopWords = fields["stopwords"] is { ValueKind: JsonValueKind.Array }
            ? [.. fields.Items("stopwords").Select(w =>
                w.ValueKind == JsonValueKind.String ? JsonFields.Read(w)
                    : throw JsonFields.Wrong(fields.PathOf("stopwords"), w, "a string"))]
            : basis.StopWords,
        MinTokenLength = fields.Int("min_token_len") ?? basis.MinTokenLength,
        MaxTokenLength = fields.Int("max_token_len") ?? basis.MaxTokenLength,
    };

    private static IEnumerable<EmbeddingRule> ReadEmbeddings(JsonFields body, IndexSchema schema)
    {
        foreach (var item in body.Items("embeddings"))
        {
            var fields = new JsonFields(item, "embeddings");
            var vector = fields.Text("vector") ?? "";
            if (schema.FindDense(vector) is null)
                throw Errors.VectorNotFound(vector);
            yield return new EmbeddingRule(vector, fields.RequiredText("path"), fields.Text("model"));
        }
    }
}
