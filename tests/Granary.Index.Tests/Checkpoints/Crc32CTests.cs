using Granary.Index.Checkpoints;

namespace Granary.Index.Tests.Checkpoints;

public sealed class Crc32CTests
{
    [Fact]
    public void TheCheckValueOfTheCatalogueComesOut() => Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));

    [Fact]
    public void NothingHasChecksumZero() => Assert.Equal(0u, Crc32C.Compute([]));

    [Fact]
    public void EveryLengthEqualsTheTableAndAnySplit()
    {
        var data = new byte[100];
        new Random(1).NextBytes(data);
        for (var length = 0; length <= data.Length; length++)
        {
            var whole = Crc32C.Compute(data.AsSpan(0, length));
            Assert.Equal(~Crc32C.AppendTable(~0u, data.AsSpan(0, length)), whole);
            Assert.Equal(whole, Crc32C.Append(Crc32C.Compute(data.AsSpan(0, length / 3)), data.AsSpan(length / 3, length - (length / 3))));
        }
    }
}
