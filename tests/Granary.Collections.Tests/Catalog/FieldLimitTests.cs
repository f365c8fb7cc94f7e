using Granary.Collections.Catalog;
using Granary.Collections.Tests.Support;
using Granary.Index;

namespace Granary.Collections.Tests.Catalog;

public sealed class FieldLimitTests
{
    [Theory]
    [InlineData(16, 1024, true)]
    [InlineData(17, 1024, false)]
    [InlineData(2_000, 8, true)]
    [InlineData(2_000, 1024, false)]
    public void FieldsTimesPartitionsAreLimited(int vectors, int partitions, bool allowed)
    {
        var config = Fixture.Plain with
        {
            Schema = new IndexSchema
            {
                Dense = [.. Enumerable.Range(0, vectors).Select(i => new DenseVectorSchema($"v{i}", 4, Distance.Dot))],
            },
            Partitions = partitions,
        };
        if (allowed)
        {
            ConfigRules.Check(config);
            return;
        }

        var error = Assert.Throws<GranaryException>(() => ConfigRules.Check(config));
        Assert.Contains($"shard_number: value {partitions} invalid", error.Message);
        Assert.Contains("16384", error.Message);
    }
}
