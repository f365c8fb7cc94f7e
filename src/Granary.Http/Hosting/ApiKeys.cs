using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Granary.Http.Hosting;

/// <summary>Who may do what: one key for everything, one that may only read, compared in constant time.</summary>
internal sealed class ApiKeys
{
    private readonly byte[]? _full;
    private readonly byte[]? _readOnly;

    /// <summary>Takes the keys from the settings.</summary>
    public ApiKeys(GranaryHttpOptions options)
    {
        _full = Hash(options.ApiKey);
        _readOnly = Hash(options.ReadOnlyApiKey);
    }

    /// <summary>Refuses a request whose key does not allow it.</summary>
    public void Check(HttpRequest request, bool writes)
    {
        if (_full is null && _readOnly is null)
            return;
        var given = Hash(Given(request))
            ?? throw new ApiKeyException(401, "Must provide an API key or an Authorization bearer token");
        if (Same(given, _full))
            return;
        if (!Same(given, _readOnly))
            throw new ApiKeyException(401, "Invalid API key or JWT");
        if (writes)
            throw new ApiException(403, "Forbidden: Global manage access is required");
    }

    private static string? Given(HttpRequest request)
    {
        if (request.Headers.TryGetValue("api-key", out var key) && !string.IsNullOrEmpty(key))
            return key;
        string? authorization = request.Headers.Authorization;
        return authorization is not null
            && authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization[7..].Trim() : null;
    }

    /// <summary>Hashed, so that neither content nor length shows in the time a comparison takes.</summary>
    private static byte[]? Hash(string? key) => string.IsNullOrEmpty(key) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static bool Same(byte[] given, byte[]? expected) =>
        expected is not null && CryptographicOperations.FixedTimeEquals(given, expected);
}

/// <summary>A request without a key, or with a wrong one: answered in plain text, as Qdrant does.</summary>
internal sealed class ApiKeyException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status code.</summary>
    public int Status { get; } = status;
}
