using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using Granary.Index;
using Granary.Index.Payload;

namespace Granary.Collections.Tests.Wire;

/// <summary>Compares object graphs by every public property, lists by their elements, floats by their bits.</summary>
internal static class Structure
{
    /// <summary>Where two graphs differ first; null when they are the same.</summary>
    public static string? Difference(object? a, object? b, string at = "value")
    {
        if (a is null || b is null)
            return a is null && b is null ? null : $"{at}: {a ?? "null"} and {b ?? "null"}";
        if (Elements(a) is { } left && Elements(b) is { } right)
            return OfElements(left, right, at);
        if (a.GetType() != b.GetType())
            return $"{at}: {a.GetType().Name} and {b.GetType().Name}";
        if (IsLeaf(a))
            return LeafKey(a).Equals(LeafKey(b)) ? null : $"{at}: {a} and {b}";
        return Properties(a.GetType()).Select(p => Difference(p.GetValue(a), p.GetValue(b), $"{at}.{p.Name}"))
            .FirstOrDefault(d => d is not null);
    }

    /// <summary>Everything in a graph: each object that has properties, with them.</summary>
    public static IEnumerable<(PropertyInfo Property, object? Value)> Walk(object? value)
    {
        if (value is null || IsLeaf(value))
            return [];
        if (Elements(value) is { } elements)
            return elements.SelectMany(Walk);
        return Properties(value.GetType()).Where(p => p.SetMethod is not null)
            .SelectMany(p => Walk(p.GetValue(value)).Prepend((p, p.GetValue(value))));
    }

    private static string? OfElements(List<object?> a, List<object?> b, string at) => a.Count != b.Count
        ? $"{at}: {a.Count} and {b.Count} elements"
        : Enumerable.Range(0, a.Count).Select(i => Difference(a[i], b[i], $"{at}[{i}]")).FirstOrDefault(d => d is not null);

    private static List<object?>? Elements(object value) => value switch
    {
        string => null,
        ReadOnlyMemory<byte> bytes => Boxed(bytes.ToArray()),
        ReadOnlyMemory<float> floats => Boxed(floats.ToArray()),
        ReadOnlyMemory<uint> numbers => Boxed(numbers.ToArray()),
        IDictionary entries => [.. entries.Keys.Cast<object>().Order().Select(k => (object?)(k, entries[k]))],
        ITuple tuple => [.. Enumerable.Range(0, tuple.Length).Select(i => tuple[i])],
        IEnumerable items => [.. items.Cast<object?>()],
        _ => null,
    };

    private static List<object?> Boxed<T>(T[] values) => [.. values.Cast<object?>()];

    private static bool IsLeaf(object value) =>
        value is string or PointId or JsonPath or DateTimeOffset or TimeSpan or Enum || value.GetType().IsPrimitive;

    private static object LeafKey(object value) => value switch
    {
        float number => BitConverter.SingleToInt32Bits(number),
        double number => BitConverter.DoubleToInt64Bits(number),
        DateTimeOffset instant => (instant.Ticks, instant.Offset),
        _ => value,
    };

    private static IEnumerable<PropertyInfo> Properties(Type type) => type == typeof(GranaryException)
        ? [type.GetProperty("Kind")!, type.GetProperty("Message")!, type.GetProperty("RetryAfter")!]
        : type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0);
}
