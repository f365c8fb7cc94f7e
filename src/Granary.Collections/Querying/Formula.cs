using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Payload;

namespace Granary.Collections.Querying;

/// <summary>
/// A formula made ready: constants folded, conditions numbered, decay shapes computed. Semantics and error texts are Qdrant's
/// (lib/segment/src/index/query_optimization/rescore_formula).
/// </summary>
public sealed class Formula
{
    private readonly List<Filter> _conditions = [];
    private readonly Dictionary<string, JsonElement> _defaults = new(StringComparer.Ordinal);
    private readonly Func<FormulaPoint, double> _root;

    /// <summary>Compiles an expression.</summary>
    /// <exception cref="GranaryException">An operator is unknown or a parameter is outside its limits.</exception>
    public Formula(FormulaQuery query)
    {
        foreach (var (key, json) in query.Defaults)
        {
            try
            {
                using var document = JsonDocument.Parse(json);
                _defaults[JsonPath.TryParse(key, out var path) ? path.ToString() : key] = document.RootElement.Clone();
            }
            catch (JsonException e)
            {
                throw GranaryException.BadInput($"The default of formula variable '{key}' is not valid JSON: {e.Message}");
            }
        }

        _root = Compile(query.Expression);
    }

    /// <summary>The conditions; a point's answers are given in this order.</summary>
    public IReadOnlyList<Filter> Conditions => _conditions;

    /// <summary>Whether payload values are read.</summary>
    public bool NeedsPayload { get; private set; }

    /// <summary>The score of a point.</summary>
    /// <exception cref="GranaryException">A value is missing or of the wrong type, or the result is not finite.</exception>
    public float Score(FormulaPoint point)
    {
        var score = _root(point);
        var narrowed = (float)score;
        if (!float.IsFinite(narrowed))
            throw NotFinite($"{Show(score)} as f32 = {Show(narrowed)}");
        return narrowed;
    }

    private Func<FormulaPoint, double> Compile(FormulaExpression e)
    {
        switch (e.Kind)
        {
            case "constant":
                var constant = e.Constant;
                return _ => constant;
            case "variable":
                return Variable(e.Variable ?? throw GranaryException.BadInput("A formula variable has no name"));
            case "condition":
                var number = _conditions.Count;
                _conditions.Add(e.Condition ?? new Filter());
                return p => p.Conditions[number] ? 1 : 0;
            case "datetime":
                var instant = FormulaValues.Seconds(e.Variable)
                    ?? throw GranaryException.BadInput($"failed to parse date-time {e.Variable}: input contains invalid characters");
                return _ => instant;
            case "datetime_key":
                var moment = PathOf(e);
                return p => Payload(p, moment, "datetime", v => v.ValueKind != JsonValueKind.String
                    ? (null, "Value is not a string")
                    : (FormulaValues.Seconds(v.GetString()), "input contains invalid characters"));
            case "geo_distance":
                var place = PathOf(e);
                var origin = e.Origin;
                return p => Payload(p, place, "geo point", v => FormulaValues.Place(v) is { } there
                    ? (FormulaValues.Haversine(origin, there), "")
                    : (null, "invalid type: expected struct GeoPoint"));
            case "sum":
                return Sum([.. e.Operands.Select(Compile)]);
            case "mult":
                return Product([.. e.Operands.Select(Compile)]);
            case "div":
                return Quotient(Operand(e, 0), Operand(e, 1), e.Parameters.TryGetValue("by_zero_default", out var byZero) ? byZero : null);
            case "exp_decay" or "gauss_decay" or "lin_decay":
                return Decay(e);
            default:
                return Unary(e);
        }
    }

    private JsonPath PathOf(FormulaExpression e)
    {
        NeedsPayload = true;
        return JsonPath.Parse(e.Variable ?? throw GranaryException.BadInput($"Formula expression '{e.Kind}' names no payload key"));
    }

    private Func<FormulaPoint, double> Unary(FormulaExpression e)
    {
        if (e.Kind is not ("neg" or "abs" or "sqrt" or "exp" or "ln" or "log10" or "pow"))
            throw GranaryException.BadInput($"Unknown formula expression '{e.Kind}'");
        var x = Operand(e, 0);
        switch (e.Kind)
        {
            case "neg":
                return p => -x(p);
            case "abs":
                return p => Math.Abs(x(p));
            case "sqrt":
                return Finite(x, Math.Sqrt, v => $"√{Show(v)}");
            case "exp":
                return Finite(x, Math.Exp, v => $"exp({Show(v)})");
            case "ln":
                return Finite(x, Math.Log, v => $"ln({Show(v)})");
            case "log10":
                return Finite(x, Math.Log10, v => $"log10({Show(v)})");
            default:
                var exponent = Operand(e, 1);
                return p =>
                {
                    double b = x(p), n = exponent(p), power = Math.Pow(b, n);
                    return double.IsFinite(power) ? power : throw NotFinite($"{Show(b)}^{Show(n)} = {Show(power)}");
                };
        }
    }

    private Func<FormulaPoint, double> Operand(FormulaExpression e, int index) => index < e.Operands.Length
        ? Compile(e.Operands[index])
        : throw GranaryException.BadInput($"Formula expression '{e.Kind}' needs {index + 1} operand(s), got {e.Operands.Length}");

    private Func<FormulaPoint, double> Variable(string name)
    {
        if (!name.StartsWith('$'))
        {
            if (!JsonPath.TryParse(name, out var path))
                throw GranaryException.BadInput($"failed to parse variable ID {name}: Invalid payload variable: {name}");
            NeedsPayload = true;
            return p => Payload(p, path, "number", v => v.ValueKind == JsonValueKind.Number
                ? (v.GetDouble(), "") : (null, "Value is not a number"));
        }

        var prefetch = 0;
        if (name != "$score")
        {
            if (!name.StartsWith("$score[", StringComparison.Ordinal) || !name.EndsWith(']')
                || !int.TryParse(name.AsSpan(7, name.Length - 8), NumberStyles.None, CultureInfo.InvariantCulture, out prefetch))
            {
                var reserved = name.StartsWith("$score", StringComparison.Ordinal) ? "variable" : "word";
                throw GranaryException.BadInput($"failed to parse variable ID {name}: Invalid reserved {reserved}: {name}");
            }
        }

        var fallback = 0d;
        foreach (var alias in prefetch == 0 ? new[] { "$score", "$score[0]" } : [name])
        {
            if (_defaults.TryGetValue(alias, out var given) && given.ValueKind == JsonValueKind.Number)
                fallback = given.GetDouble();
        }

        return p => prefetch < p.Scores.Count && p.Scores[prefetch] is { } score ? score : fallback;
    }

    private double Payload(FormulaPoint point, JsonPath path, string type, Func<JsonElement, (double? Value, string Error)> read)
    {
        JsonElement value = default;
        if (point.Payload is { } payload)
        {
            var values = PayloadValues.At(payload, path).Take(2).ToList();
            if (values.Count > 1)
                throw WrongType(path, type, type == "number" ? "Value is not a number" : type == "datetime"
                    ? "Value is not a string" : "invalid type: sequence");
            // A single value inside an array counts as the value.
            if (values.Count == 1)
                value = values[0].ValueKind == JsonValueKind.Array && values[0].GetArrayLength() == 1 ? values[0][0] : values[0];
        }

        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null && !_defaults.TryGetValue(path.ToString(), out value))
            throw WrongType(path, type, "No value found in a payload nor defaults");
        var (result, error) = read(value);
        return result ?? throw WrongType(path, type, error);
    }

    private Func<FormulaPoint, double> Decay(FormulaExpression e)
    {
        var midpoint = e.Parameters.GetValueOrDefault("midpoint", 0.5);
        var scale = e.Parameters.GetValueOrDefault("scale", 1.0);
        if (e.Kind == "lin_decay" ? midpoint is < 0 or > 1 : midpoint is <= 0 or >= 1)
        {
            throw GranaryException.BadInput(e.Kind == "lin_decay"
                ? $"Linear decay midpoint should be in the range [0.0, 1.0], got {Show(midpoint)}."
                : $"Decay midpoint should be in the range (0.0, 1.0), got {Show(midpoint)}.");
        }

        if (scale <= 0)
            throw GranaryException.BadInput($"Decay scale should be non-zero positive, got {Show(scale)}.");
        var x = Operand(e, 0);
        var target = e.Target is { } t ? Compile(t) : _ => 0;
        var lambda = e.Kind switch
        {
            "lin_decay" => (1 - midpoint) / scale,
            "exp_decay" => Math.Log(midpoint) / scale,
            _ => Math.Log(midpoint) / (scale * scale),
        };
        return e.Kind switch
        {
            "lin_decay" => p => Math.Max(0, 1 - (lambda * Math.Abs(x(p) - target(p)))),
            "exp_decay" => p => Math.Exp(lambda * Math.Abs(x(p) - target(p))),
            _ => p =>
            {
                var difference = x(p) - target(p);
                return Math.Exp(lambda * difference * difference);
            }
            ,
        };
    }

    private static Func<FormulaPoint, double> Sum(ImmutableArray<Func<FormulaPoint, double>> parts) => p =>
    {
        var sum = 0d;
        foreach (var part in parts)
            sum += part(p);
        return sum;
    };

    private static Func<FormulaPoint, double> Product(ImmutableArray<Func<FormulaPoint, double>> parts) => p =>
    {
        var product = 1d;
        foreach (var part in parts)
        {
            var value = part(p);
            if (value == 0)
                return 0;
            product *= value;
        }

        return product;
    };

    private static Func<FormulaPoint, double> Quotient(Func<FormulaPoint, double> left, Func<FormulaPoint, double> right, double? byZero) =>
        p =>
    {
        var dividend = left(p);
        if (dividend == 0)
            return 0;
        var divisor = right(p);
        if (divisor == 0 && byZero is { } given)
            return given;
        var quotient = dividend / divisor;
        return double.IsFinite(quotient) ? quotient : throw NotFinite($"{Show(dividend)}/{Show(divisor)} = {Show(quotient)}");
    };

    private static Func<FormulaPoint, double> Finite(
        Func<FormulaPoint, double> x, Func<double, double> function, Func<double, string> show) => p =>
    {
        var value = x(p);
        var result = function(value);
        return double.IsFinite(result) ? result : throw NotFinite($"{show(value)} = {Show(result)}");
    };

    private static string Show(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsInfinity(value)
            ? (value > 0 ? "inf" : "-inf") : value.ToString("R", CultureInfo.InvariantCulture);

    private static GranaryException NotFinite(string expression) =>
        GranaryException.BadInput($"The expression {expression} produced a non-finite number");

    private static GranaryException WrongType(JsonPath path, string type, string description) => GranaryException.BadInput(
        $"Expected {type} value for {path} in the payload and/or in the formula defaults. Error: {description}");
}

/// <summary>What a formula knows of a point.</summary>
/// <param name="Scores">Its score in each prefetch, null where it is not there.</param>
/// <param name="Conditions">Whether each condition holds.</param>
/// <param name="Payload">Its payload, when it was fetched.</param>
public readonly record struct FormulaPoint(IReadOnlyList<float?> Scores, IReadOnlyList<bool> Conditions, JsonElement? Payload);
