using System.Collections.Immutable;

namespace Granary.Index.Filters;

/// <summary>Places against areas. Borders are outside, as in Qdrant.</summary>
internal static class GeoTests
{
    /// <summary>The mean radius of the IUGG, metres.</summary>
    public const double EarthRadius = 6_371_008.8;

    /// <summary>Whether a place is in a box; one whose left edge is east of its right edge crosses the antimeridian.</summary>
    public static bool Contains(GeoBoundingBoxCondition box, double longitude, double latitude)
    {
        var (left, right) = (box.TopLeft.Longitude, box.BottomRight.Longitude);
        return (left > right ? longitude > left || longitude < right : left < longitude && longitude < right)
            && box.BottomRight.Latitude < latitude && latitude < box.TopLeft.Latitude;
    }

    /// <summary>Whether a place is nearer than the radius.</summary>
    public static bool Contains(GeoRadiusCondition circle, double longitude, double latitude) =>
        Distance(circle.Center, longitude, latitude) < circle.RadiusMeters;

    /// <summary>The haversine distance in metres.</summary>
    public static double Distance(GeoPoint from, double longitude, double latitude)
    {
        var fromLatitude = double.DegreesToRadians(from.Latitude);
        var toLatitude = double.DegreesToRadians(latitude);
        var a = Math.Sin((toLatitude - fromLatitude) / 2);
        var b = Math.Sin(double.DegreesToRadians(longitude - from.Longitude) / 2);
        var h = (a * a) + (Math.Cos(fromLatitude) * Math.Cos(toLatitude) * b * b);
        return 2 * EarthRadius * Math.Asin(Math.Min(1, Math.Sqrt(h)));
    }

    /// <summary>Whether a place is strictly inside the exterior and strictly outside the holes, on the plane of degrees.</summary>
    public static bool Contains(GeoPolygonCondition polygon, double longitude, double latitude)
    {
        if (Side(polygon.Exterior, longitude, latitude) <= 0)
            return false;
        foreach (var hole in polygon.Interiors)
        {
            if (Side(hole, longitude, latitude) >= 0)
                return false;
        }

        return true;
    }

    /// <summary>1 inside, 0 on the border, -1 outside: crossings of a ray to the east.</summary>
    private static int Side(ImmutableArray<GeoPoint> ring, double x, double y)
    {
        var inside = false;
        for (var i = 1; i < ring.Length; i++)
        {
            var (a, b) = (ring[i - 1], ring[i]);
            var cross = ((b.Longitude - a.Longitude) * (y - a.Latitude)) - ((b.Latitude - a.Latitude) * (x - a.Longitude));
            if (cross == 0 && Math.Min(a.Longitude, b.Longitude) <= x && x <= Math.Max(a.Longitude, b.Longitude)
                && Math.Min(a.Latitude, b.Latitude) <= y && y <= Math.Max(a.Latitude, b.Latitude))
                return 0;
            if (a.Latitude > y != b.Latitude > y && cross > 0 == b.Latitude > a.Latitude)
                inside = !inside;
        }

        return inside ? 1 : -1;
    }
}
