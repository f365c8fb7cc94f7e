using Granary.Index.Operations;

namespace Granary.Index.Tests.Partition;

public sealed class OperationWriterTests
{
    [Fact]
    public void Operations_beyond_the_limit_are_refused_and_what_was_ended_stays()
    {
        var writer = new OperationWriter(4096);
        Add(writer, 1, new byte[3000]);
        writer.Begin(OperationKind.SetPayload, new PointId(2));
        var error = Assert.Throws<GranaryException>(() => writer.Payload(new byte[3000]));
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        Assert.Contains("limit is 4096 bytes", error.Message, StringComparison.Ordinal);
        writer.Abandon();
        Add(writer, 3, new byte[500]);
        Assert.Equal(2, writer.Count);
        Assert.True(writer.Written.Length <= 4096);
    }

    [Fact]
    public void What_is_known_to_come_is_refused_before_it_is_copied()
    {
        var writer = new OperationWriter();
        var error = Assert.Throws<GranaryException>(() => writer.Reserve(3_000L * (1 << 20)));
        Assert.Contains("limit is 268435456 bytes", error.Message, StringComparison.Ordinal);
        Add(writer, 1, new byte[10]);
        Assert.Equal(1, writer.Count);
    }

    private static void Add(OperationWriter writer, ulong id, byte[] payload)
    {
        writer.Begin(OperationKind.SetPayload, new PointId(id));
        writer.Payload(payload);
        writer.End();
    }
}
