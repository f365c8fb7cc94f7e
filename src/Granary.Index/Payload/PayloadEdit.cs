namespace Granary.Index.Payload;

/// <summary>
/// Changes of a payload, UTF-8 JSON in and out. Numbers and strings keep their text; of duplicate keys the last wins; an empty result
/// is <c>{}</c>.
/// </summary>
public static partial class PayloadEdit
{
    /// <summary>Objects and arrays may be nested so deep.</summary>
    public const int MaxDepth = 64;

    /// <summary>Checks that a payload is an object within the depth limit and takes out white space and duplicate keys.</summary>
    /// <exception cref="GranaryException">It is not.</exception>
    public static byte[] Normalize(ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>Merges <paramref name="patch"/> into the payload, at the root or under a key: members replace, null members remove.</summary>
    /// <exception cref="GranaryException">The result is nested too deep.</exception>
    public static byte[] Set(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> patch, JsonPath? key = null) => throw new NotImplementedException();

    /// <summary>Removes what the paths name. Elements of arrays are not removed by number.</summary>
    public static byte[] Delete(ReadOnlySpan<byte> payload, IReadOnlyList<JsonPath> keys) => throw new NotImplementedException();

    /// <summary>What is left of a payload: everything within <paramref name="include"/> (when it is not empty), else everything outside <paramref name="exclude"/>.</summary>
    public static byte[] Project(ReadOnlySpan<byte> payload, IReadOnlyList<JsonPath> include, IReadOnlyList<JsonPath> exclude) =>
        throw new NotImplementedException();
}
