namespace Granary.Http.Hosting;

/// <summary>An answer other than success, with its status code and the text shown in <c>status.error</c>.</summary>
internal sealed class ApiException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status code.</summary>
    public int Status { get; } = status;

    /// <summary>The body cannot be read as what it should be (400).</summary>
    public static ApiException Format(string what) => new(400, $"Format error in JSON body: {what}");

    /// <summary>A value of the body is outside its limits (422).</summary>
    public static ApiException Invalid(string field, string what) => new(422, $"Validation error in JSON body: [{field}: {what}]");

    /// <summary>Understood and refused (400).</summary>
    public static ApiException BadRequest(string what) => new(400, $"Bad request: {what}");

    /// <summary>Contradicts the collection (400).</summary>
    public static ApiException WrongInput(string what) => new(400, $"Wrong input: {what}");

    /// <summary>A strict mode limit (400).</summary>
    public static ApiException StrictMode(string what, string help) => new(400, $"Bad request: {what}. Help: {help}");
}
