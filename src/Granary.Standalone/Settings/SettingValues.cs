using System.Globalization;
using Granary.Index;

namespace Granary.Standalone.Settings;

/// <summary>
/// Where a setting's value comes from, first found first taken: the command line, the environment, appsettings.json in the current folder,
/// appsettings.json beside the program, the default.
/// </summary>
internal sealed class SettingValues(Func<Setting, string?> commandLine, IConfiguration files)
{
    /// <summary>The values as a process sees them.</summary>
    public static SettingValues Load(Func<Setting, string?> commandLine)
    {
        var builder = new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true);
        var here = Path.Combine(Environment.CurrentDirectory, "appsettings.json");
        try
        {
            return new SettingValues(commandLine, builder.AddJsonFile(here, optional: true).Build());
        }
        catch (InvalidDataException e)
        {
            throw new GranaryException(ErrorKind.BadInput, $"{e.Message} {e.InnerException?.Message}", e);
        }
    }

    /// <summary>Whether the setting was given on the command line.</summary>
    public bool IsOption(Setting setting) => commandLine(setting) is not null;

    /// <summary>A text; null when empty.</summary>
    public string? Text(Setting setting) => Find(setting).Value is { Length: > 0 } text ? text : null;

    /// <summary>A text that may not be empty.</summary>
    public string Required(Setting setting) => Text(setting) ?? throw Wrong(setting, "must not be empty");

    /// <summary>A whole number within limits.</summary>
    public long Number(Setting setting, long least, long most) =>
        long.TryParse(Find(setting).Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least
            && number <= most
            ? number
            : throw Wrong(setting, $"must be a whole number from {least} to {most}");

    /// <summary>True or false.</summary>
    public bool Flag(Setting setting) =>
        bool.TryParse(Find(setting).Value, out var flag) ? flag : throw Wrong(setting, "must be true or false");

    /// <summary>One of several words.</summary>
    public string Word(Setting setting, params ReadOnlySpan<string> words)
    {
        var value = Find(setting).Value;
        foreach (var word in words)
        {
            if (word.Equals(value, StringComparison.OrdinalIgnoreCase))
                return word;
        }

        throw Wrong(setting, $"must be one of {string.Join(", ", words)}");
    }

    /// <summary>An error that names the setting where it was set, and its value unless it is a secret.</summary>
    public GranaryException Wrong(Setting setting, string rule)
    {
        var (value, source) = Find(setting);
        return GranaryException.BadInput(setting.Secret ? $"{source} {rule}" : $"{source} `{value}` {rule}");
    }

    private (string Value, string Source) Find(Setting setting)
    {
        if (commandLine(setting) is { } option)
            return (option, setting.Option);
        if (Environment.GetEnvironmentVariable(setting.Variable) is { } variable)
            return (variable, setting.Variable);
        if (files[$"Granary:{setting.Key}"] is { } key)
            return (key, $"Granary:{setting.Key} of appsettings.json");
        return (setting.Default, setting.Option);
    }
}
