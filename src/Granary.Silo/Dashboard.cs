using System.Security.Cryptography;
using System.Text;
using Orleans.Dashboard;

namespace Granary.Silo;

/// <summary>The Orleans dashboard on the admin addresses alone, behind the API key where one is set.</summary>
internal static class Dashboard
{
    /// <summary>Maps it.</summary>
    public static void Map(WebApplication app, SiloSettings settings)
    {
        if (settings.AdminAddresses.Length == 0)
            return;
        var ports = settings.AdminAddresses.Select(a => new Uri(a.Replace("://*", "://any").Replace("://+", "://any")).Port).ToHashSet();
        var key = settings.Server.Http.ApiKey;
        app.Use((context, next) =>
        {
            if (!context.Request.Path.StartsWithSegments("/dashboard"))
                return next();
            if (!ports.Contains(context.Connection.LocalPort))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }

            if (string.IsNullOrEmpty(key) || Presented(context.Request).Any(p => IsSame(p, key)))
                return next();
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            // A browser asks for a name and a password: any name, the key as the password.
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"Granary\"";
            return Task.CompletedTask;
        });
        app.MapOrleansDashboard("/dashboard");
    }

    private static IEnumerable<string> Presented(HttpRequest request)
    {
        if (request.Headers["api-key"].ToString() is { Length: > 0 } header)
            yield return header;
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            yield return authorization["Bearer ".Length..].Trim();
        if (!authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
            yield break;
        var bytes = new byte[authorization.Length];
        if (!Convert.TryFromBase64String(authorization["Basic ".Length..].Trim(), bytes, out var written))
            yield break;
        var pair = Encoding.UTF8.GetString(bytes, 0, written);
        yield return pair[(pair.IndexOf(':') + 1)..];
    }

    private static bool IsSame(string presented, string key) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(presented)), SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
