namespace Granary.Index.Tests.Text;

/// <summary>Reads the test vectors embedded in this assembly.</summary>
internal static class Vectors
{
    public static IEnumerable<string> Lines(string file)
    {
        using var stream = typeof(Vectors).Assembly.GetManifestResourceStream("Text." + file)
            ?? throw new FileNotFoundException(file);
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && !line.StartsWith('#'))
                yield return line;
        }
    }
}
