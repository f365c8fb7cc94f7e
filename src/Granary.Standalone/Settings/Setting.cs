namespace Granary.Standalone.Settings;

/// <summary>One setting: an option on the command line, a key of appsettings.json and an environment variable.</summary>
/// <param name="Name">Its name on the command line, without the dashes, such as <c>api-key</c>.</param>
/// <param name="Default">What it is worth when nobody sets it; empty for nothing.</param>
/// <param name="Help">What it does, in one sentence.</param>
/// <param name="Command">The command it belongs to, such as <c>import</c>; empty for what every command shares.</param>
internal sealed record Setting(string Name, string Default, string Help, string Command = "")
{
    /// <summary>Whether the option may stand alone, which sets it to true.</summary>
    public bool IsSwitch { get; init; }

    /// <summary>The option, such as <c>--api-key</c>.</summary>
    public string Option => $"--{Name}";

    /// <summary>The environment variable, such as <c>GRANARY_API_KEY</c> or <c>GRANARY_IMPORT_BATCH</c>.</summary>
    public string Variable => $"GRANARY_{Path('_').Replace('-', '_').ToUpperInvariant()}";

    /// <summary>The key inside appsettings.json's section <c>Granary</c>, such as <c>ApiKey</c> or <c>Import:Batch</c>.</summary>
    public string Key => string.Join(':', Path(':').Split(':').Select(static part =>
        string.Concat(part.Split('-').Select(static word => char.ToUpperInvariant(word[0]) + word[1..]))));

    /// <summary>Whether its value is a secret that is never printed.</summary>
    public bool Secret => Name.EndsWith("key", StringComparison.Ordinal);

    private string Path(char separator) => Command.Length == 0 ? Name : $"{Command}{separator}{Name}";
}
