using System.Globalization;
using Granary.Index;
using Granary.Index.Operations;
using Granary.Index.Payload;

namespace Granary.Collections.Catalog;

/// <summary>What a collection's settings may be, and how they may change.</summary>
public static class ConfigRules
{
    /// <summary>Vectors and text fields times partitions: each takes memory and files of its own.</summary>
    private const int MaxFields = 16_384;

    /// <summary>Timers count some 49 days at most, and a partition whose timer refuses its time stops.</summary>
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);

    /// <summary>Checks the settings of a new collection.</summary>
    /// <exception cref="GranaryException">Names the field, the value and the limit.</exception>
    public static void Check(CollectionConfig config)
    {
        if (config.Partitions is < 1 or > PointId.PlacementSlots)
            throw GranaryException.Validation(
                $"shard_number: value {config.Partitions} invalid, must be from 1 to {PointId.PlacementSlots}");
        if (config.Replicas < 1)
            throw GranaryException.Validation($"replication_factor: value {config.Replicas} invalid, must be 1 or larger");
        CheckSchema(config);
        var fields = config.Schema.Dense.Length + config.Schema.Sparse.Length + config.Schema.Text.Length;
        if ((long)fields * config.Partitions > MaxFields)
        {
            throw GranaryException.Validation(
                $"shard_number: value {config.Partitions} invalid, with {fields} vectors and text fields it makes "
                    + $"{(long)fields * config.Partitions}"
                + $" fields in all; the limit is {MaxFields}");
        }

        CheckIngestion(config.Ingestion);
    }

    /// <summary>Checks a change of settings.</summary>
    /// <exception cref="GranaryException">The new settings are wrong, or change what is fixed.</exception>
    public static void CheckChange(CollectionConfig before, CollectionConfig after)
    {
        Check(after);
        if (before.Partitions != after.Partitions)
            throw GranaryException.BadInput($"The number of partitions is fixed at creation: {before.Partitions}, not {after.Partitions}");
        if (before.Replicas != after.Replicas)
            throw GranaryException.BadInput($"The number of replicas is fixed at creation: {before.Replicas}, not {after.Replicas}");
        foreach (var vector in before.Schema.Dense)
        {
            if (after.Schema.FindDense(vector.Name) is { } now
                && (now.Size != vector.Size || now.Distance != vector.Distance || now.MultiVector != vector.MultiVector))
            {
                throw GranaryException.BadInput($"Vector '{vector.Name}': size, distance and multivector are fixed at creation");
            }

            // What was never kept cannot come back.
            if (after.Schema.FindDense(vector.Name) is { } stored
                && (stored.Storage == VectorStorage.Int8) != (vector.Storage == VectorStorage.Int8))
                throw GranaryException.BadInput($"Vector '{vector.Name}': whether only int8 codes are kept is fixed at creation");
        }
    }

    private static void CheckSchema(CollectionConfig config)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var vector in config.Schema.Dense)
        {
            if (vector.Size is < 1 or > DenseVectorSchema.MaxSize)
                throw GranaryException.Validation(
                    $"vectors.size: value {vector.Size} invalid, must be from 1 to {DenseVectorSchema.MaxSize}");
            CheckHnsw(vector.Hnsw);
            if (vector.Storage == VectorStorage.Int8 && (vector.MultiVector || vector.Distance == Distance.Manhattan))
                throw GranaryException.Validation(
                    $"vectors.storage: value int8 invalid for '{vector.Name}', it goes with Cosine, Dot and Euclid, not with multivectors");
            AddName(vector.Name);
        }

        foreach (var vector in config.Schema.Sparse)
            AddName(vector.Name);
        foreach (var text in config.Schema.Text)
        {
            AddName(text.Name);
            if (string.IsNullOrEmpty(text.Path))
                throw GranaryException.Validation($"Text field '{text.Name}' has no payload path");
            CheckConstant(text.Name, "k1", text.K1, TextFieldSchema.MaxK1);
            CheckConstant(text.Name, "b", text.B, 1);
        }

        var filled = new HashSet<string>(StringComparer.Ordinal);
        foreach (var rule in config.Embeddings)
        {
            if (!filled.Add(rule.Vector))
                throw GranaryException.Validation($"Two embedding rules fill vector '{rule.Vector}'; a vector has one");
            if (config.Schema.FindDense(rule.Vector) is not { MultiVector: false })
                throw GranaryException.Validation(
                    $"An embedding rule fills vector '{rule.Vector}', which is not a dense vector of the collection");
            if (string.IsNullOrEmpty(rule.Path))
                throw GranaryException.Validation($"The embedding rule of vector '{rule.Vector}' has no payload path");
            if (rule.Path.Length > EmbeddingSource.MaxPathLength)
                throw GranaryException.Validation(
                    $"The path of the embedding rule of vector '{rule.Vector}' has {rule.Path.Length} characters; the limit is "
                    + $"{EmbeddingSource.MaxPathLength}");
            JsonPath.Parse(rule.Path);
        }

        void AddName(string name)
        {
            CollectionName.ValidateVector(name);
            if (!names.Add(name))
                throw GranaryException.Validation($"Vector name '{name}' is used twice; dense, sparse and text fields share one namespace");
        }
    }

    private static void CheckConstant(string field, string name, float value, float most)
    {
        if (!(value >= 0 && value <= most))
        {
            var shown = value.ToString(CultureInfo.InvariantCulture);
            throw GranaryException.Validation($"text field '{field}': {name}: value {shown} invalid, must be from 0 to {most}");
        }
    }

    // The upper bounds keep what a search or a linking thread sets aside, and its arithmetic, within reason.
    private static void CheckHnsw(HnswSettings hnsw)
    {
        if (hnsw.M is < 0 or > HnswSettings.MaxM)
            throw GranaryException.Validation($"hnsw_config.m: value {hnsw.M} invalid, must be from 0 to {HnswSettings.MaxM}");
        if (hnsw.EfConstruct is < 1 or > HnswSettings.MaxEf)
            throw GranaryException.Validation(
                $"hnsw_config.ef_construct: value {hnsw.EfConstruct} invalid, must be from 1 to {HnswSettings.MaxEf}");
        if (hnsw.Ef is < 0 or > HnswSettings.MaxEf)
            throw GranaryException.Validation($"hnsw_ef: value {hnsw.Ef} invalid, must be from 0 to {HnswSettings.MaxEf}");
    }

    private static void CheckIngestion(IngestionSettings ingestion)
    {
        if (ingestion.QueueCapacity < 1)
            throw GranaryException.Validation($"queue_capacity: value {ingestion.QueueCapacity} invalid, must be 1 or larger");
        if (ingestion.BatchSize < 1)
            throw GranaryException.Validation($"batch_size: value {ingestion.BatchSize} invalid, must be 1 or larger");
        if (ingestion.BatchDelay < TimeSpan.Zero || ingestion.AdmissionTimeout < TimeSpan.Zero)
            throw GranaryException.Validation("batch_delay and admission_timeout must not be negative");
        if (ingestion.BatchDelay > MaxDelay)
            throw GranaryException.Validation($"batch_delay: value {ingestion.BatchDelay} invalid, must be {MaxDelay} or less");
        if (ingestion.AdmissionTimeout > MaxDelay)
            throw GranaryException.Validation($"admission_timeout: value {ingestion.AdmissionTimeout} invalid, must be {MaxDelay} or less");
        if (ingestion.LinkParallelism < 0)
            throw GranaryException.Validation($"link_parallelism: value {ingestion.LinkParallelism} invalid, must be 0 or larger");
        if (ingestion.CheckpointOperations < 1 || ingestion.CheckpointLogBytes < 1)
            throw GranaryException.Validation("checkpoint_operations and checkpoint_log_bytes must be 1 or larger");
    }
}
