using Granary.Index.Checkpoints;

namespace Granary.Index.Tests.Checkpoints;

public sealed class BlockTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(BlockWriter.BlockSize)]
    [InlineData((3 * BlockWriter.BlockSize) + 5)]
    public void WhatIsWrittenIsRead(int length)
    {
        var (section, bytes, data) = Write(length);
        using var reader = new BlockReader(section, new MemoryStream(bytes));
        var read = new byte[length];
        reader.ReadExactly(read);
        Assert.Equal(-1, reader.ReadByte());
        Assert.Equal(data, read);
        Assert.Equal((length + BlockWriter.BlockSize - 1) / BlockWriter.BlockSize, section.Blocks.Length);
    }

    [Fact]
    public void ADamagedBlockIsRefusedWithItsSectionAndOffset()
    {
        var (section, bytes, _) = Write(3 * BlockWriter.BlockSize);
        bytes[BlockWriter.BlockSize + 17] ^= 4;
        using var reader = new BlockReader(section, new MemoryStream(bytes));
        reader.ReadExactly(new byte[BlockWriter.BlockSize]);
        var error = Assert.Throws<GranaryException>(() => reader.ReadByte());
        Assert.Equal(ErrorKind.Corrupted, error.Kind);
        Assert.StartsWith("Checkpoint section \"part\" is damaged at offset 1048576: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASectionCutShortIsRefused()
    {
        var (section, bytes, _) = Write(100);
        using var reader = new BlockReader(section, new MemoryStream(bytes, 0, 60));
        var error = Assert.Throws<GranaryException>(() => reader.ReadByte());
        Assert.Equal("Checkpoint section \"part\" is damaged at offset 60: it ends there, 100 bytes were written.", error.Message);
    }

    [Fact]
    public void AManifestOfANewerFormatIsRefused()
    {
        using var stream = new MemoryStream();
        new Manifest(5, 4, "{}"u8.ToArray(), [new ManifestSection("a", 3, [7])]).Write(stream);
        var bytes = stream.ToArray();
        var read = Manifest.Read(new MemoryStream(bytes));
        Assert.Equal((5L, 4L, 1), (read.Operation, read.LinkedOperation, read.Sections.Count));
        bytes[4] = 99;
        var error = Assert.Throws<GranaryException>(() => Manifest.Read(new MemoryStream(bytes)));
        Assert.Contains("format 99 is not known", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnyBitOfAManifestCounts()
    {
        using var stream = new MemoryStream();
        new Manifest(5, 4, "{}"u8.ToArray(), [new ManifestSection("a", 3, [7])]).Write(stream);
        for (var i = 0; i < stream.Length; i++)
        {
            var bytes = stream.ToArray();
            bytes[i] ^= 64;
            Assert.Equal(ErrorKind.Corrupted, Assert.Throws<GranaryException>(() => Manifest.Read(new MemoryStream(bytes))).Kind);
        }
    }

    private static (ManifestSection Section, byte[] Bytes, byte[] Data) Write(int length)
    {
        var data = new byte[length];
        new Random(length).NextBytes(data);
        using var inner = new MemoryStream();
        using var writer = new BlockWriter("part", inner);
        for (var i = 0; i < length; i += 70_001)
            writer.Write(data.AsSpan(i, Math.Min(70_001, length - i)));
        return (writer.Describe(), inner.ToArray(), data);
    }
}
