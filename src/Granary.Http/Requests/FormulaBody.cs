using System.Collections.Immutable;
using System.Text.Json;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index.Filters;

namespace Granary.Http.Requests;

/// <summary>Reads formulas.</summary>
internal static class FormulaBody
{
    private const int MaxDepth = 64;
    private static readonly string[] Unary = ["neg", "abs", "sqrt", "exp", "log10", "ln"];
    private static readonly string[] Lists = ["sum", "mult"];
    private static readonly string[] Decays = ["lin_decay", "exp_decay", "gauss_decay"];

    /// <summary>A formula and what variables are worth where a point lacks them.</summary>
    public static FormulaQuery Read(JsonElement formula, JsonFields? defaults) => new(
        Expression(formula, 0),
        defaults is { } fields
            ? fields.Element.EnumerateObject().ToImmutableDictionary(p => p.Name, p => p.Value.GetRawText())
            : ImmutableDictionary<string, string>.Empty);

    private static FormulaExpression Expression(JsonElement value, int depth)
    {
        if (depth > MaxDepth)
            throw ApiException.Format($"a formula is nested deeper than {MaxDepth}");
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                return new FormulaExpression("constant") { Constant = value.GetDouble() };
            case JsonValueKind.String:
                return new FormulaExpression("variable") { Variable = JsonFields.Read(value) };
            case JsonValueKind.Object:
                return Operation(value, depth);
            default:
                throw Unknown();
        }
    }

    private static FormulaExpression Operation(JsonElement value, int depth)
    {
        var fields = new JsonFields(value, "formula");
        foreach (var kind in Lists)
        {
            if (fields[kind] is not null)
                return new FormulaExpression(kind) { Operands = [.. fields.Items(kind).Select(o => Expression(o, depth + 1))] };
        }

        foreach (var kind in Unary)
        {
            if (fields[kind] is { } operand)
                return new FormulaExpression(kind) { Operands = [Expression(operand, depth + 1)] };
        }

        foreach (var kind in Decays)
        {
            if (fields.Object(kind) is { } decay)
                return Decay(kind, decay, depth);
        }

        if (fields.Object("div") is { } div)
        {
            return new FormulaExpression("div")
            {
                Operands = [Expression(div.Required("left"), depth + 1), Expression(div.Required("right"), depth + 1)],
                Parameters = Parameters(div, "by_zero_default"),
            };
        }

        if (fields.Object("pow") is { } pow)
            return new FormulaExpression(
                "pow")
            { Operands = [Expression(pow.Required("base"), depth + 1), Expression(pow.Required("exponent"), depth + 1)] };
        if (fields.Object("geo_distance") is { } geo)
            return GeoDistance(geo);
        if (fields.Text("datetime") is { } datetime)
            return new FormulaExpression("datetime") { Variable = datetime };
        if (fields.Text("datetime_key") is { } key)
            return new FormulaExpression("datetime_key") { Variable = key };
        var condition = JsonElement.Parse($"{{\"must\":[{value.GetRawText()}]}}");
        return new FormulaExpression("condition") { Condition = FilterBody.Read(condition) };
    }

    private static FormulaExpression Decay(string kind, JsonFields decay, int depth)
    {
        if (decay.Number("scale") is <= 0)
            throw ApiException.BadRequest($"{kind} scale must be greater than 0, got {decay["scale"]!.Value.GetRawText()}");
        if (decay.Number("midpoint") is <= 0 or >= 1)
            throw ApiException.BadRequest(
                $"{kind} midpoint must be between 0 and 1 (exclusive), got {decay["midpoint"]!.Value.GetRawText()}");
        return new FormulaExpression(kind)
        {
            Operands = [Expression(decay.Required("x"), depth + 1)],
            Target = decay["target"] is { } target ? Expression(target, depth + 1) : null,
            Parameters = Parameters(decay, "scale", "midpoint"),
        };
    }

    private static FormulaExpression GeoDistance(JsonFields geo)
    {
        var origin = geo.Object("origin") ?? throw ApiException.Format("formula.geo_distance: missing field `origin`");
        if (origin.Number("lon", -180, 180) is not { } longitude || origin.Number("lat", -90, 90) is not { } latitude)
            throw ApiException.Format("formula.geo_distance.origin: missing field `lon` or `lat`");
        return new FormulaExpression("geo_distance") { Origin = new GeoPoint(longitude, latitude), Variable = geo.RequiredText("to") };
    }

    private static ImmutableDictionary<string, double> Parameters(JsonFields fields, params ReadOnlySpan<string> names)
    {
        var parameters = ImmutableDictionary.CreateBuilder<string, double>();
        foreach (var name in names)
        {
            if (fields.Number(name) is { } value)
                parameters[name] = value;
        }

        return parameters.ToImmutable();
    }

    private static ApiException Unknown() => ApiException.Format("data did not match any variant of untagged enum Expression");
}
