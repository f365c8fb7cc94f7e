using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Granary.Http.Json;

namespace Granary.Benchmarks;

/// <summary>
/// Times the parsing and the writing of one vector as JSON, beside the runtime's own reader and serializer, on two texts:
/// floats as they print (7 to 9 digits), and the same floats as clients that work in doubles send them (16 to 17 digits).
/// </summary>
internal static class JsonBenchmarks
{
    public static Task<int> RunAsync(Arguments arguments)
    {
        var size = arguments.Number("size", 1536);
        var rounds = arguments.Number("rounds", 2000);
        var vector = MakeVector(size);
        Parse("floats as they print", Print(vector, static v => v.ToString("R", CultureInfo.InvariantCulture)), vector, rounds);
        Parse("floats sent as doubles", Print(vector, static v => ((double)v).ToString("R", CultureInfo.InvariantCulture)), vector, rounds);

        using var json = new JsonOut();
        Time($"write {size} floats", rounds, () =>
        {
            using var output = new JsonOut();
            output.Floats(vector);
        });
        Time($"write {size} floats, JsonSerializer", rounds, () => JsonSerializer.SerializeToUtf8Bytes(vector));
        return Task.FromResult(0);
    }

    private static void Parse(string title, byte[] text, float[] vector, int rounds)
    {
        var target = new byte[vector.Length * sizeof(float)];
        Time($"parse {vector.Length} {title} ({text.Length} bytes)", rounds, () =>
        {
            var cursor = new JsonCursor(text);
            if (cursor.ReadFloats(target) != vector.Length)
                throw new InvalidOperationException("The vector was cut short.");
        });
        if (!System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(target).SequenceEqual(vector))
            throw new InvalidOperationException("The vector was not parsed to the same bits.");
        Time($"  the same, Utf8JsonReader.GetSingle", rounds, () =>
        {
            var reader = new Utf8JsonReader(text);
            reader.Read();
            var floats = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(target.AsSpan());
            for (var i = 0; reader.Read() && reader.TokenType == JsonTokenType.Number; i++)
                floats[i] = reader.GetSingle();
        });
    }

    private static void Time(string title, int rounds, Action action)
    {
        for (var i = 0; i < rounds / 2; i++)
            action();
        var samples = new Samples(rounds);
        for (var i = 0; i < rounds; i++)
        {
            var started = Stopwatch.GetTimestamp();
            action();
            samples.Add(Stopwatch.GetElapsedTime(started));
        }

        Console.WriteLine($"{title}: best {samples.Percentile(0):F1} us, {samples}");
    }

    private static byte[] Print(float[] vector, Func<float, string> print) =>
        Encoding.UTF8.GetBytes($"[{string.Join(',', vector.Select(print))}]");

    /// <summary>A vector of length one, as embedding models give.</summary>
    private static float[] MakeVector(int size)
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, size).Select(_ =>
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())).ToArray();
        var length = Math.Sqrt(values.Sum(static v => v * v));
        return [.. values.Select(v => (float)(v / length))];
    }
}
