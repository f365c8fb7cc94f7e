using Granary.Collections.Wire;
using Granary.Index;

namespace Granary.Grains.Interfaces;

/// <summary>Bytes that nobody changes any more, so that a call within a silo need not copy them.</summary>
/// <param name="Memory">The bytes.</param>
[GenerateSerializer, Immutable, Alias("granary.bytes")]
public readonly record struct Bytes([property: Id(0)] ReadOnlyMemory<byte> Memory);

/// <summary>What a grain answers: a value, or the engine's error, which is the same on both sides of the wire.</summary>
/// <typeparam name="T">The value.</typeparam>
/// <param name="Value">The value; default where there is an error.</param>
/// <param name="Error">The error's bytes; empty for none.</param>
[GenerateSerializer, Immutable, Alias("granary.reply`1")]
public readonly record struct Reply<T>([property: Id(0)] T Value, [property: Id(1)] ReadOnlyMemory<byte> Error)
{
    /// <summary>The value.</summary>
    /// <exception cref="GranaryException">The other side had an error.</exception>
    public T Unwrap() => Error.IsEmpty ? Value : throw ErrorWire.Decode(Error);
}

/// <summary>Makes replies.</summary>
public static class Reply
{
    /// <summary>Runs and answers; an error of the engine's becomes a reply.</summary>
    public static async Task<Reply<T>> OfAsync<T>(Func<ValueTask<T>> run)
    {
        try
        {
            return new Reply<T>(await run().ConfigureAwait(false), default);
        }
        catch (GranaryException e)
        {
            return new Reply<T>(default!, ErrorWire.Encode(e));
        }
        catch (ObjectDisposedException e)
        {
            return new Reply<T>(default!, ErrorWire.Encode(new GranaryException(ErrorKind.Unavailable, e.Message, e)));
        }
    }
}
