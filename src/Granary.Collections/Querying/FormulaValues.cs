using System.Globalization;
using System.Text.Json;
using Granary.Index.Filters;

namespace Granary.Collections.Querying;

/// <summary>Instants and places as formulas read them.</summary>
internal static class FormulaValues
{
    /// <summary>The mean radius that Qdrant's geo crate uses (IUGG), metres.</summary>
    private const double EarthRadius = 6_371_008.8;

    /// <summary>Seconds since 1970 of an RFC 3339 instant or a date; without an offset it is UTC.</summary>
    public static double? Seconds(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var instant)
            ? (instant.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond / 1_000_000.0
            : null;

    /// <summary>A place written <c>{"lon": , "lat": }</c>.</summary>
    public static GeoPoint? Place(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object
        && value.TryGetProperty("lon", out var lon) && lon.ValueKind == JsonValueKind.Number
        && value.TryGetProperty("lat", out var lat) && lat.ValueKind == JsonValueKind.Number
            ? new GeoPoint(lon.GetDouble(), lat.GetDouble())
            : null;

    /// <summary>Metres along a great circle (the haversine formula).</summary>
    public static double Haversine(GeoPoint a, GeoPoint b)
    {
        var lat1 = double.DegreesToRadians(a.Latitude);
        var lat2 = double.DegreesToRadians(b.Latitude);
        var dLat = Math.Sin((lat2 - lat1) / 2);
        var dLon = Math.Sin(double.DegreesToRadians(b.Longitude - a.Longitude) / 2);
        var h = (dLat * dLat) + (Math.Cos(lat1) * Math.Cos(lat2) * dLon * dLon);
        return 2 * EarthRadius * Math.Asin(Math.Sqrt(h));
    }
}
