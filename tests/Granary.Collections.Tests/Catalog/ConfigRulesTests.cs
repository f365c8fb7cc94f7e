using Granary.Collections.Catalog;
using Granary.Index;

namespace Granary.Collections.Tests.Catalog;

public sealed class ConfigRulesTests
{
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
