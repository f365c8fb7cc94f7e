using System.Globalization;
using Granary.Index;
using Npgsql;

namespace Granary.Storage.Postgres.Connections;

/// <summary>A database's address, <c>postgres://user:password@host:port/database?option=value&amp;…</c>, taken apart.</summary>
/// <param name="ConnectionString">As Npgsql wants it.</param>
/// <param name="Name">Host, port and database, for messages: no user, no password.</param>
/// <param name="CacheFolder">Option <c>cache</c>.</param>
/// <param name="Migrate">Option <c>migrate</c>.</param>
internal sealed record PostgresAddress(string ConnectionString, string Name, string? CacheFolder, bool? Migrate)
{
    private const string Known = "cache, migrate, sslmode, sslrootcert, pool, connect_timeout, application_name";

    /// <exception cref="GranaryException">It is no such address, or names an option that is not known.</exception>
    public static PostgresAddress Parse(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("postgres" or "postgresql")
            || !address.Contains("://", StringComparison.Ordinal))
            throw GranaryException.BadInput(
                "storage: a PostgreSQL database is named as in postgres://user:password@host:5432/database");
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host.Length == 0 ? "localhost" : uri.IdnHost.Trim('[', ']'),
            Port = uri.Port < 0 ? 5432 : uri.Port,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')),
            ApplicationName = "granary",
            // Of a connection that is cut without a word the server's side would live, and hold its locks, for hours.
            TcpKeepAlive = true,
            TcpKeepAliveTime = 10,
            TcpKeepAliveInterval = 5,
            Timeout = 5,
            CommandTimeout = 30,
            MaxAutoPrepare = 50,
            // Nothing here changes a session, so there is nothing to reset.
            NoResetOnClose = true,
            // A process that is stopped amid a transaction may hold others up for so long, and no longer.
            Options = "-c idle_in_transaction_session_timeout=10s -c client_min_messages=warning",
            IncludeErrorDetail = true,
        };
        if (builder.Database.Length == 0)
            throw GranaryException.BadInput($"storage: postgres://{uri.Authority[(uri.Authority.IndexOf('@') + 1)..]} names no database");
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            builder.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1)
            builder.Password = Uri.UnescapeDataString(user[1]);
        var (cache, migrate) = Apply(builder, uri.Query);
        return new PostgresAddress(
            builder.ToString(), $"postgres://{builder.Host}:{builder.Port}/{builder.Database}", cache, migrate);
    }

    private static (string? Cache, bool? Migrate) Apply(NpgsqlConnectionStringBuilder builder, string query)
    {
        string? cache = null;
        bool? migrate = null;
        foreach (var part in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = part.Split('=', 2);
            var (name, value) = (pair[0].ToLowerInvariant(), pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : "");
            switch (name)
            {
                case "cache":
                    cache = value.Length > 0 ? value : throw Wrong(name, value, "a folder");
                    break;
                case "migrate":
                    migrate = bool.TryParse(value, out var on) ? on : throw Wrong(name, value, "true or false");
                    break;
                case "sslmode":
                    builder.SslMode = Enum.TryParse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), true, out var mode)
                        ? mode : throw Wrong(name, value, "disable, allow, prefer, require, verify-ca or verify-full");
                    break;
                case "sslrootcert":
                    builder.RootCertificate = value;
                    break;
                case "pool":
                    builder.MaxPoolSize = Number(name, value);
                    break;
                case "connect_timeout":
                    builder.Timeout = Number(name, value);
                    break;
                case "application_name":
                    builder.ApplicationName = value;
                    break;
                default:
                    throw GranaryException.BadInput($"storage: option `{pair[0]}` is unknown; known are {Known}");
            }
        }

        return (cache, migrate);
    }

    private static int Number(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1000
            ? number : throw Wrong(name, value, "a number from 1 to 1000");

    private static GranaryException Wrong(string name, string value, string wanted) =>
        GranaryException.BadInput($"storage: option `{name}` is `{value}`, it must be {wanted}");
}
