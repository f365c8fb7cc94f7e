namespace Granary.Standalone.Settings;

/// <summary>One setting: an option on the command line, a key of appsettings.json and an environment variable.</summary>
/// <param name="Name">Its name on the command line, without the dashes, such as <c>api-key</c>.</param>
/// <param name="Default">What it is worth when nobody sets it; empty for nothing.</param>
/// <param name="Help">What it does, in one sentence.</param>
internal sealed record Setting(string Name, string Default, string Help)
{
    /// <summary>The option, such as <c>--api-key</c>.</summary>
    public string Option => $"--{Name}";

    /// <summary>The environment variable, such as <c>GRANARY_API_KEY</c>.</summary>
    public string Variable => $"GRANARY_{Name.Replace('-', '_').ToUpperInvariant()}";

    /// <summary>The key inside appsettings.json's section <c>Granary</c>, such as <c>ApiKey</c>.</summary>
    public string Key => string.Concat(Name.Split('-').Select(static word => char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary>Whether its value is a secret that is never printed.</summary>
    public bool Secret => Name.EndsWith("key", StringComparison.Ordinal);
}
