using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>The <c>--name value</c> pairs of a benchmark's command line.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = [];

    public Arguments(string[] args)
    {
        for (var i = 0; i < args.Length; i += 2)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == args.Length)
                throw new ArgumentException($"`{args[i]}`: options come as --name value");
            _values[args[i][2..]] = args[i + 1];
        }
    }

    /// <summary>The folder of data sets: <c>--data</c>, else the environment variable GRANARY_DATA.</summary>
    public string Data => _values.GetValueOrDefault("data") ?? Environment.GetEnvironmentVariable("GRANARY_DATA")
        ?? throw new ArgumentException("--data PATH (or GRANARY_DATA) must name the folder of data sets");

    public string Text(string name, string fallback) => _values.GetValueOrDefault(name, fallback);

    public int Number(string name, int fallback) =>
        _values.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;
}
