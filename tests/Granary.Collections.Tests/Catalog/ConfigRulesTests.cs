using Granary.Collections.Catalog;
using Granary.Index;

namespace Granary.Collections.Tests.Catalog;

public sealed class ConfigRulesTests
{
    [Theory]
    [InlineData(HnswSettings.MaxM, HnswSettings.MaxEf, HnswSettings.MaxEf, null)]
    [InlineData(HnswSettings.MaxM + 1, 200, 0, "hnsw_config.m: value 1025 ")]
    [InlineData(-1, 200, 0, "hnsw_config.m: value -1 ")]
    [InlineData(16, int.MaxValue, 0, "hnsw_config.ef_construct: value 2147483647 ")]
    [InlineData(16, 0, 0, "hnsw_config.ef_construct: value 0 ")]
    [InlineData(16, 200, int.MaxValue, "hnsw_ef: value 2147483647 ")]
    public void TheGraphsSettingsAreBoundedBothWays(int m, int efConstruct, int ef, string? refusal)
    {
        var hnsw = new HnswSettings { M = m, EfConstruct = efConstruct, Ef = ef };
        var config = new CollectionConfig
        {
            Schema = new IndexSchema { Dense = [new DenseVectorSchema("a", 3, Distance.Dot) { Hnsw = hnsw }] },
        };
        if (refusal is null)
            ConfigRules.Check(config);
        else
            Assert.StartsWith(refusal, Assert.Throws<GranaryException>(() => ConfigRules.Check(config)).Message);
    }

    [Theory]
    [InlineData(0f, 0f, null)]
    [InlineData(1000f, 1f, null)]
    [InlineData(-1f, 0.5f, "text field 'text': k1: value -1 invalid, must be from 0 to 1000")]
    [InlineData(1001f, 0.5f, "text field 'text': k1: value 1001 invalid, must be from 0 to 1000")]
    [InlineData(float.PositiveInfinity, 0.5f, "text field 'text': k1: value Infinity invalid, must be from 0 to 1000")]
    [InlineData(float.NaN, 0.5f, "text field 'text': k1: value NaN invalid, must be from 0 to 1000")]
    [InlineData(1f, 1.5f, "text field 'text': b: value 1.5 invalid, must be from 0 to 1")]
    [InlineData(1f, float.NaN, "text field 'text': b: value NaN invalid, must be from 0 to 1")]
    public void TheConstantsOfBm25AreBoundedBothWays(float k1, float b, string? refusal)
    {
        var config = new CollectionConfig
        {
            Schema = new IndexSchema { Text = [new TextFieldSchema("text", "text") { K1 = k1, B = b }] },
        };
        if (refusal is null)
        {
            ConfigRules.Check(config);
            return;
        }

        var error = Assert.Throws<GranaryException>(() => ConfigRules.Check(config));
        Assert.Equal((ErrorKind.Validation, refusal), (error.Kind, error.Message));
    }

    [Fact]
    public void ReplicasAreFixedAtCreation()
    {
        var config = new CollectionConfig { Replicas = 2 };
        ConfigRules.CheckChange(config, config with { Schema = new IndexSchema() });
        var error = Assert.Throws<GranaryException>(() => ConfigRules.CheckChange(config, config with { Replicas = 3 }));
        Assert.Equal(ErrorKind.BadInput, error.Kind);
    }

    [Fact]
    public void WaitingTimesAreThoseATimerTakes()
    {
        var day = TimeSpan.FromDays(1);
        var config = new CollectionConfig { Ingestion = new IngestionSettings { BatchDelay = day, AdmissionTimeout = day } };
        ConfigRules.Check(config);
        Refused(config.Ingestion with { BatchDelay = TimeSpan.FromDays(60) }, "batch_delay: value 60.00:00:00 ");
        Refused(config.Ingestion with { AdmissionTimeout = TimeSpan.MaxValue }, "admission_timeout: value ");

        static void Refused(IngestionSettings ingestion, string refusal)
        {
            var error = Assert.Throws<GranaryException>(() => ConfigRules.Check(new CollectionConfig { Ingestion = ingestion }));
            Assert.Equal(ErrorKind.Validation, error.Kind);
            Assert.StartsWith(refusal, error.Message);
        }
    }

    [Fact]
    public void AVectorIsFilledByOneEmbeddingRule()
    {
        var config = new CollectionConfig
        {
            Schema = new IndexSchema { Dense = [new DenseVectorSchema("a", 3, Distance.Dot), new DenseVectorSchema("b", 3, Distance.Dot)] },
            Embeddings = [new EmbeddingRule("a", "title"), new EmbeddingRule("b", "title")],
        };
        ConfigRules.Check(config);
        var error = Assert.Throws<GranaryException>(
            () => ConfigRules.Check(config with { Embeddings = [.. config.Embeddings, new EmbeddingRule("a", "body")] }));
        Assert.Equal((ErrorKind.Validation, "Two embedding rules fill vector 'a'; a vector has one"), (error.Kind, error.Message));
    }
}
