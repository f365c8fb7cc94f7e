using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Granary.Deployment.Tests;

/// <summary>YAML as the JSON it stands for: YAML 1.2's core schema, aliases and merge keys resolved.</summary>
internal static partial class YamlText
{
    /// <summary>Words that YAML 1.1 takes for booleans and YAML 1.2 for strings: refused where they stand unquoted.</summary>
    private static readonly string[] Ambiguous = ["y", "n", "yes", "no", "on", "off"];

    public static IReadOnlyList<JsonNode> Parse(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        // Through text, so that numbers can be read as whatever number they fit.
        return [.. stream.Documents.Select(static d => JsonNode.Parse(Convert(d.RootNode)!.ToJsonString())!)];
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping => Mapping(mapping),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
        YamlScalarNode scalar => Scalar(scalar),
        _ => throw new InvalidDataException($"line {node.Start.Line}: {node.NodeType}"),
    };

    private static JsonObject Mapping(YamlMappingNode mapping)
    {
        var result = new JsonObject();
        foreach (var (key, value) in mapping.Children)
        {
            var name = ((YamlScalarNode)key).Value!;
            if (name != "<<")
                result[name] = Convert(value);
        }

        foreach (var (_, value) in mapping.Children.Where(static c => ((YamlScalarNode)c.Key).Value == "<<"))
        {
            foreach (var (name, inherited) in Mapping((YamlMappingNode)value))
            {
                if (!result.ContainsKey(name))
                    result[name] = inherited?.DeepClone();
            }
        }

        return result;
    }

    private static JsonNode? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value!;
        if (scalar.Style != ScalarStyle.Plain)
            return JsonValue.Create(text);
        if (Ambiguous.Contains(text, StringComparer.OrdinalIgnoreCase))
            throw new InvalidDataException($"line {scalar.Start.Line}: quote the word {text}, or write true or false");
        if (text is "" or "~" or "null" or "Null" or "NULL")
            return null;
        if (text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE")
            return JsonValue.Create(text[0] is 't' or 'T');
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return JsonValue.Create(whole);
        return Fraction().IsMatch(text) ? JsonValue.Create(double.Parse(text, CultureInfo.InvariantCulture)) : JsonValue.Create(text);
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Fraction();
}
