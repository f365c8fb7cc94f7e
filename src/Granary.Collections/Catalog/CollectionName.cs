using Granary.Index;

namespace Granary.Collections.Catalog;

/// <summary>What a collection, an alias or a vector may be called, with Qdrant's wording of what it may not.</summary>
public static class CollectionName
{
    private const int MaxLength = 255;
    private const int MaxVectorName = 200;
    private const string Forbidden = "<>:\"/\\|?*\0\u001F";

    /// <summary>Checks a collection's name or an alias.</summary>
    /// <exception cref="GranaryException">It is empty, longer than 255 bytes or holds a character that no path may.</exception>
    public static void Validate(string name, string what = "collection name")
    {
        var field = what == "alias name" ? "alias_name" : "collection_name";
        if (name.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(name) > MaxLength)
        {
            var shown = name.Length > 40 ? name[..40] + "..." : name;
            throw GranaryException.Validation($"Validation error in path parameters: [{field}: value \"{shown}\" invalid, must be from 1 "
                + $"to {MaxLength} characters]");
        }

        if (FindForbidden(name) is { } bad)
            throw GranaryException.Validation(
                $"Validation error in path parameters: [{field}: {what} cannot contain \"{Show(bad)}\" char]");
    }

    /// <summary>Checks a vector's or text field's name; the empty one is the default vector's.</summary>
    /// <exception cref="GranaryException">It is longer than 200 bytes or holds a character that no path may.</exception>
    public static void ValidateVector(string name)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(name) > MaxVectorName)
            throw GranaryException.Validation(
                $"Validation error in JSON body: [vectors: vector name must be at most {MaxVectorName} bytes long]");
        if (FindForbidden(name) is { } bad)
            throw GranaryException.Validation($"Validation error in JSON body: [vectors: vector name cannot contain \"{Show(bad)}\" char]");
    }

    private static char? FindForbidden(string name)
    {
        foreach (var c in name)
        {
            if (Forbidden.Contains(c, StringComparison.Ordinal) || char.IsControl(c))
                return c;
        }

        return null;
    }

    private static string Show(char c) => char.IsControl(c) ? $"\\u{{{(int)c:x}}}" : c.ToString();
}
