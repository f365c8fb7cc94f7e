using System.Text.Json;
using Granary.Collections;
using Granary.Index.Filters;

namespace Granary.Client;

/// <summary>Formulas as the REST API reads them.</summary>
internal static class FormulaJson
{
    /// <summary>Writes the <c>formula</c> and <c>defaults</c> members.</summary>
    public static void Write(Utf8JsonWriter json, FormulaQuery query)
    {
        json.WritePropertyName("formula"u8);
        WriteExpression(json, query.Expression);
        if (query.Defaults.IsEmpty)
            return;
        json.WriteStartObject("defaults"u8);
        foreach (var (name, value) in query.Defaults)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value);
        }

        json.WriteEndObject();
    }

    private static void WriteExpression(Utf8JsonWriter json, FormulaExpression expression)
    {
        switch (expression.Kind)
        {
            case "constant":
                json.WriteNumberValue(expression.Constant);
                return;
            case "variable":
                json.WriteStringValue(expression.Variable);
                return;
            case "condition":
                WriteCondition(json, expression.Condition!);
                return;
        }

        json.WriteStartObject();
        json.WritePropertyName(expression.Kind);
        switch (expression.Kind)
        {
            case "sum" or "mult":
                json.WriteStartArray();
                foreach (var operand in expression.Operands)
                    WriteExpression(json, operand);
                json.WriteEndArray();
                break;
            case "div":
                WriteMembers(json, expression, "left", "right");
                break;
            case "pow":
                WriteMembers(json, expression, "base", "exponent");
                break;
            case "lin_decay" or "exp_decay" or "gauss_decay":
                WriteMembers(json, expression, "x");
                break;
            case "datetime" or "datetime_key":
                json.WriteStringValue(expression.Variable);
                break;
            case "geo_distance":
                json.WriteStartObject();
                json.WriteStartObject("origin"u8);
                json.WriteNumber("lon"u8, expression.Origin.Longitude);
                json.WriteNumber("lat"u8, expression.Origin.Latitude);
                json.WriteEndObject();
                json.WriteString("to"u8, expression.Variable);
                json.WriteEndObject();
                break;
            default:
                WriteExpression(json, expression.Operands[0]);
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteMembers(Utf8JsonWriter json, FormulaExpression expression, params ReadOnlySpan<string> names)
    {
        json.WriteStartObject();
        for (var i = 0; i < names.Length; i++)
        {
            json.WritePropertyName(names[i]);
            WriteExpression(json, expression.Operands[i]);
        }

        if (expression.Target is { } target)
        {
            json.WritePropertyName("target"u8);
            WriteExpression(json, target);
        }

        foreach (var (name, value) in expression.Parameters)
            json.WriteNumber(name, value);
        json.WriteEndObject();
    }

    /// <summary>A condition stands for itself; a filter of several is a condition, too.</summary>
    private static void WriteCondition(Utf8JsonWriter json, Filter filter)
    {
        if (filter is { Must: [FilterCondition { Filter: var inner }], Should.IsEmpty: true, MustNot.IsEmpty: true, MinShould: null })
            WriteCondition(json, inner);
        else
            json.WriteRawValue(FilterJson.ToUtf8(filter), skipInputValidation: true);
    }
}
