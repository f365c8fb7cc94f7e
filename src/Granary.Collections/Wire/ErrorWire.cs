using Granary.Index;

namespace Granary.Collections.Wire;

/// <summary>
/// Errors, told so that the caller's side throws the same: kind, message, time to wait. What caused them stays where it happened.
/// </summary>
public static class ErrorWire
{
    /// <summary>An error as a message; decoding it as any answer throws it.</summary>
    public static byte[] Encode(GranaryException error) => WireMessage.Encode(WireKind.Error, error, Write);

    /// <summary>The error of a message that must be one.</summary>
    public static GranaryException Decode(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Error, message, Read);

    /// <summary>Writes an error.</summary>
    public static void Write(WireWriter writer, GranaryException error)
    {
        writer.Byte((byte)error.Kind);
        writer.String(error.Message);
        writer.Bool(error.RetryAfter is not null);
        if (error.RetryAfter is { } wait)
            writer.Signed(wait.Ticks);
    }

    /// <summary>Reads an error.</summary>
    public static GranaryException Read(ref WireReader reader)
    {
        var kind = (ErrorKind)reader.Byte();
        if (!Enum.IsDefined(kind))
            throw reader.Damaged($"unknown kind of error {(int)kind}");
        var message = reader.String();
        return new GranaryException(kind, message) { RetryAfter = reader.Bool() ? TimeSpan.FromTicks(reader.Signed()) : null };
    }
}
