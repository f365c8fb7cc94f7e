using System.CommandLine;

namespace Granary.Standalone.Settings;

/// <summary>Puts settings on a command as options and reads them back.</summary>
internal sealed class SettingOptions
{
    private readonly Dictionary<Setting, Option<string?>> _options = [];

    public SettingOptions(Command command, IReadOnlyList<Setting> settings)
    {
        foreach (var setting in settings)
        {
            var standard = setting.Default.Length > 0 ? $" [default: {setting.Default}]" : "";
            var option = new Option<string?>(setting.Option)
            {
                Description = $"{setting.Help}{standard}",
                HelpName = setting.Secret ? "KEY" : "VALUE",
                Arity = setting.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            _options.Add(setting, option);
            command.Options.Add(option);
        }
    }

    /// <summary>The values of one invocation.</summary>
    public SettingValues Read(ParseResult parsed) =>
        SettingValues.Load(setting => _options.TryGetValue(setting, out var option) && parsed.GetResult(option) is { Implicit: false } given
            ? given.Tokens.Count == 0 ? "true" : parsed.GetValue(option)
            : null);
}
