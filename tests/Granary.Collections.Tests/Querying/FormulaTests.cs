using System.Collections.Immutable;
using System.Text.Json;
using Granary.Collections.Querying;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Tests.Querying;

public sealed class FormulaTests
{
    private const string Payload =
        """{"number":85.0,"array_of_one":[1.2],"array":[1.2,2.3],"geo":{"lat":25.628482424190565,"lon":-100.23881855976}"""
            + ""","at":"2025-03-18T00:00:00Z"}""";

    [Fact]
    public void AddsScoresPayloadAndConditions()
    {
        var formula = Node("sum", Constant(1), Variable("$score"), Variable("number"), new FormulaExpression("condition")
        {
            Condition = new Filter(),
        });
        Assert.Equal(1 + 1 + 85 + 1, Evaluate(formula));
        Assert.Equal(2 * 1 * 85 * 1, Evaluate(formula with { Kind = "mult", Operands = formula.Operands.SetItem(0, Constant(2)) }));
        Assert.Equal(2, Evaluate(Variable("$score[1]")));
        Assert.Equal(1.2f, Evaluate(Variable("array_of_one")));
    }

    [Fact]
    public void DividesWithItsDefaultForZero()
    {
        Assert.Equal(10, Evaluate(Node("div", Constant(10), Variable("$score"))));
        Assert.Equal(0, Evaluate(Node("div", Constant(0), Constant(0))));
        var byZero = Node("div", Constant(1), Constant(0));
        Assert.Equal("The expression 1/0 = inf produced a non-finite number", Fails(byZero));
        Assert.Equal(7, Evaluate(byZero with { Parameters = ImmutableDictionary<string, double>.Empty.Add("by_zero_default", 7) }));
    }

    [Theory]
    [InlineData("sqrt", -3, "The expression √-3 = NaN produced a non-finite number")]
    [InlineData("ln", 0, "The expression ln(0) = -inf produced a non-finite number")]
    [InlineData("log10", 0, "The expression log10(0) = -inf produced a non-finite number")]
    public void NamesAnExpressionThatIsNotFinite(string kind, double operand, string message) =>
        Assert.Equal(message, Fails(Node(kind, Constant(operand))));

    [Fact]
    public void MeasuresDistanceOnTheSphere()
    {
        var formula = new FormulaExpression("geo_distance")
        {
            Origin = new GeoPoint(-100.43383200156751, 25.717877679163667),
            Variable = "geo",
        };
        Assert.Equal(21926.494151786308, Evaluate(formula), 1e-2);
    }

    [Fact]
    public void ReadsInstants()
    {
        var day = new FormulaExpression("datetime") { Variable = "2025-03-18" };
        Assert.Equal(Evaluate(day), Evaluate(new FormulaExpression("datetime_key") { Variable = "at" }));
    }

    [Theory]
    [InlineData("missing_field", "Expected number value for missing_field in the payload and/or in the formula defaults. Error: No value "
        + "found in a payload nor defaults")]
    [InlineData("array", "Expected number value for array in the payload and/or in the formula defaults. Error: Value is not a number")]
    public void NamesAVariableThatIsMissingOrWrong(string path, string message) => Assert.Equal(message, Fails(Variable(path)));

    [Fact]
    public void FallsBackToDefaults()
    {
        Assert.Equal(85, Evaluate(Variable("no_number"), ("no_number", "85.0")));
        Assert.Equal(1.5f, Evaluate(Variable("$score[3]"), ("$score[3]", "1.5")));
        Assert.Equal(0, Evaluate(Variable("$score[10]")));
    }

    [Theory]
    [InlineData("exp_decay")]
    [InlineData("gauss_decay")]
    [InlineData("lin_decay")]
    public void DecaysToTheMidpointAtTheScale(string kind)
    {
        var decay = Node(kind, Constant(30)) with
        {
            Target = Constant(20),
            Parameters = ImmutableDictionary<string, double>.Empty.Add("midpoint", 0.25).Add("scale", 10),
        };
        Assert.Equal(0.25f, Evaluate(decay), 1e-6);
        Assert.Equal(1, Evaluate(decay with { Operands = [Constant(20)] }));
        Assert.Contains("Decay scale should be non-zero positive", Fails(decay with { Parameters = decay.Parameters.SetItem("scale", 0) }));
        Assert.Contains("midpoint should be in the range", Fails(decay with { Parameters = decay.Parameters.SetItem("midpoint", 1.5) }));
    }

    [Fact]
    public void RefusesUnknownReservedWords() => Assert.Contains("Invalid reserved", Fails(Variable("$nothing")));

    private static FormulaExpression Constant(double value) => new("constant") { Constant = value };

    private static FormulaExpression Variable(string name) => new("variable") { Variable = name };

    private static FormulaExpression Node(string kind, params FormulaExpression[] operands) => new(kind) { Operands = [.. operands] };

    private static float Evaluate(FormulaExpression expression, params (string Key, string Json)[] defaults)
    {
        using var payload = JsonDocument.Parse(Payload);
        var formula = new Formula(new FormulaQuery(expression, defaults.ToImmutableDictionary(d => d.Key, d => d.Json)));
        return formula.Score(new FormulaPoint([1f, 2f], [true], payload.RootElement));
    }

    private static string Fails(FormulaExpression expression) => Assert.Throws<GranaryException>(() => Evaluate(expression)).Message;
}
