namespace Granary.Index.Payload;

/// <summary>
/// Changes of a payload, UTF-8 JSON in and out. Numbers and strings keep their text; of duplicate keys the last wins; an empty result
/// is <c>{}</c>.
/// </summary>
public static partial class PayloadEdit
{
    /// <summary>Objects and arrays may be nested so deep.</summary>
    public const int MaxDepth = 64;

    /// <summary>A payload may become so long by a change, bytes.</summary>
    public const int MaxBytes = 256 << 20;

    /// <summary>
    /// Merges <paramref name="patch"/> into the payload, at the root or under a key: members replace, null members remove.
    /// </summary>
    /// <remarks>
    /// Under a key, objects are made where there are none; an element that does not exist is not; a value that is no array where the path
    /// goes into one becomes <c>[]</c>. All as Qdrant does.
    /// </remarks>
    /// <exception cref="GranaryException">The patch is no object, or the result is nested too deep or may be too long.</exception>
    public static byte[] Set(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> patch, JsonPath? key = null)
    {
        var normalized = Normalize(patch);
        CheckSet(normalized, key);
        var root = Root(payload);
        var merged = JsonTree.Parse(normalized);
        CheckLength(payload.Length, normalized.Length, key is null ? 1 : Places(root, key.Items.AsSpan()));
        if (key is null)
            Merge(root, merged);
        else
            SetUnder(root, key.Items.AsSpan(), merged);
        var result = root.ToUtf8();
        CheckDepth(result);
        return result;
    }

    /// <summary>
    /// Checks what <see cref="Set"/> may be asked for, whatever the payload: the path and the patch below it stay within the depth limit.
    /// </summary>
    /// <param name="patch">Valid JSON.</param>
    /// <param name="key">Where it is to be merged; null for the root.</param>
    /// <exception cref="GranaryException">They are deeper than <see cref="MaxDepth"/> together.</exception>
    public static void CheckSet(ReadOnlySpan<byte> patch, JsonPath? key)
    {
        // Before anything is built: the tree is made and written by recursion, one call a level.
        var steps = key?.Items.Length ?? 0;
        if (DepthOf(patch) + steps is var depth && depth > MaxDepth)
            throw GranaryException.BadInput($"Payload is nested deeper than {MaxDepth}: {depth} with the {steps} steps of its key.");
    }

    /// <summary>Removes what the paths name. Elements of arrays are not removed by number; <c>a[]</c> empties the array.</summary>
    public static byte[] Delete(ReadOnlySpan<byte> payload, IReadOnlyList<JsonPath> keys)
    {
        var root = Root(payload);
        foreach (var key in keys)
            Remove(root, key.Items.AsSpan());
        return root.ToUtf8();
    }

    private static JsonTree Root(ReadOnlySpan<byte> payload) => JsonTree.Parse(payload.IsEmpty ? "{}"u8.ToArray() : payload.ToArray());

    // A wildcard puts the patch into every element: what that comes to is found out before it is built.
    private static void CheckLength(long payload, long patch, long places)
    {
        if (payload + (patch * places) > MaxBytes)
            throw GranaryException.BadInput(
                $"Payload of {payload} bytes may become longer than {MaxBytes} by {patch} bytes in {places} places.");
    }

    /// <summary>Into how many places <see cref="SetUnder"/> merges.</summary>
    private static long Places(JsonTree? target, ReadOnlySpan<JsonPathItem> path)
    {
        if (path.IsEmpty)
            return 1;
        var rest = path[1..];
        switch (path[0].Kind)
        {
            case JsonPathStep.Key:
                return Places(target is { IsObject: true } ? target.FindMember(path[0].Key!) : null, rest);
            case JsonPathStep.Index:
                return target is { IsArray: true } && path[0].Index < target.Elements.Count
                    ? Places(target.Elements[path[0].Index], rest) : 0;
            default:
                var places = 0L;
                if (target is { IsArray: true })
                {
                    foreach (var element in target.Elements)
                        places += Places(element, rest);
                }

                return places;
        }
    }

    private static void Merge(JsonTree target, JsonTree patch)
    {
        target.MakeObject();
        foreach (var (name, value) in patch.Members)
        {
            if (value.IsNull)
                target.RemoveMember(name);
            else
                target.SetMember(name, value.Clone());
        }
    }

    private static void SetUnder(JsonTree target, ReadOnlySpan<JsonPathItem> path, JsonTree patch)
    {
        if (path.IsEmpty)
        {
            Merge(target, patch);
            return;
        }

        switch (path[0].Kind)
        {
            case JsonPathStep.Key:
                target.MakeObject();
                var member = target.FindMember(path[0].Key!);
                if (member is null)
                    target.SetMember(path[0].Key!, member = JsonTree.Null());
                SetUnder(member, path[1..], patch);
                break;
            case JsonPathStep.Index:
                target.MakeArray();
                if (path[0].Index < target.Elements.Count)
                    SetUnder(target.Elements[path[0].Index], path[1..], patch);
                break;
            default:
                target.MakeArray();
                foreach (var element in target.Elements)
                    SetUnder(element, path[1..], patch);
                break;
        }
    }

    private static void Remove(JsonTree target, ReadOnlySpan<JsonPathItem> path)
    {
        var head = path[0];
        var rest = path[1..];
        switch (head.Kind)
        {
            case JsonPathStep.Key when target.IsObject:
                if (rest.IsEmpty)
                    target.RemoveMember(head.Key!);
                else if (target.FindMember(head.Key!) is { } member)
                    Remove(member, rest);
                break;
            case JsonPathStep.Index when target.IsArray && !rest.IsEmpty && head.Index < target.Elements.Count:
                Remove(target.Elements[head.Index], rest);
                break;
            case JsonPathStep.Wildcard when target.IsArray:
                if (rest.IsEmpty)
                {
                    target.Elements.Clear();
                    break;
                }

                foreach (var element in target.Elements)
                    Remove(element, rest);
                break;
        }
    }
}
