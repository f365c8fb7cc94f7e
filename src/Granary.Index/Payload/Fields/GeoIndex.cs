using Granary.Index.Filters;

namespace Granary.Index.Payload.Fields;

/// <summary>
/// Places, ordered by latitude and then longitude in 32 bits each: an area is looked up as a band of latitudes, of which the longitudes
/// within its box are taken; candidates are checked in the payload. Places off the sphere are foreign.
/// </summary>
internal sealed class GeoIndex(PayloadIndexSchema schema) : OrderedIndex<ulong>(schema)
{
    public override IndexMatch? Find(Condition condition, ValueTest test)
    {
        var box = condition switch
        {
            GeoBoundingBoxCondition c => new Box(c.TopLeft.Longitude, c.BottomRight.Longitude, c.BottomRight.Latitude, c.TopLeft.Latitude),
            GeoRadiusCondition c => Around(c),
            GeoPolygonCondition c => new Box(
                c.Exterior.Min(static p => p.Longitude), c.Exterior.Max(static p => p.Longitude),
                c.Exterior.Min(static p => p.Latitude), c.Exterior.Max(static p => p.Latitude)),
            _ => (Box?)null,
        };
        if (box is not { } area)
            return null;
        var places = new BoxMatch(Entries, area);
        return Foreign.Count == 0 ? places : new UnionMatch([places, new SetMatch(Foreign)]);
    }

    protected override bool TryGetKey(ReadOnlySpan<byte> value, out ulong key)
    {
        key = 0;
        if (!AreaTest.TryGetPlace(value, out var longitude, out var latitude) || longitude is < -180 or > 180 || latitude is < -90 or > 90)
            return false;
        key = ((ulong)Cell(latitude, 90) << 32) | Cell(longitude, 180);
        return true;
    }

    private static uint Cell(double degrees, double limit) =>
        (uint)Math.Clamp((degrees + limit) / (2 * limit) * uint.MaxValue, 0, uint.MaxValue);

    /// <summary>A box around a circle, a little too large; all longitudes where it comes near a pole.</summary>
    private static Box Around(GeoRadiusCondition circle)
    {
        var angle = double.RadiansToDegrees(circle.RadiusMeters / GeoTests.EarthRadius) * 1.000001;
        var (south, north) = (circle.Center.Latitude - angle, circle.Center.Latitude + angle);
        if (!(south > -89.9 && north < 89.9 && angle < 89))
            return new Box(-180, 180, south, north);
        var half = double.RadiansToDegrees(
            Math.Asin(Math.Min(1, Math.Sin(double.DegreesToRadians(angle)) / Math.Cos(double.DegreesToRadians(circle.Center.Latitude)))))
                * 1.000001;
        var (west, east) = (circle.Center.Longitude - half, circle.Center.Longitude + half);
        return half >= 180 ? new Box(-180, 180, south, north)
            : new Box(west < -180 ? west + 360 : west, east > 180 ? east - 360 : east, south, north);
    }

    /// <summary>West of its east, unless it crosses the antimeridian.</summary>
    private readonly record struct Box(double West, double East, double South, double North);

    private sealed class BoxMatch(SortedEntries<ulong> entries, Box box) : IndexMatch
    {
        // One cell more on each side, for what rounding may have moved.
        private readonly ulong _from = (ulong)Math.Max(0, Cell(box.South, 90) - 1L) << 32;
        private readonly ulong _to = ((ulong)Math.Min(uint.MaxValue, Cell(box.North, 90) + 1L) << 32) | uint.MaxValue;
        private readonly uint _west = (uint)Math.Max(0, Cell(box.West, 180) - 1L);
        private readonly uint _east = (uint)Math.Min(uint.MaxValue, Cell(box.East, 180) + 1L);

        public override long Count => entries.CountRange(_from, _to);

        public override long Expected
        {
            get
            {
                var width = box.West <= box.East ? box.East - box.West : box.East - box.West + 360;
                return (long)Math.Ceiling(Count * Math.Min(1, width / 360));
            }
        }

        public override void Fill(SlotBits bits)
        {
            if (_from > _to)
                return;
            foreach (var (key, slot) in entries.Ascending(_from, _to))
            {
                var longitude = (uint)key;
                if (box.West <= box.East ? longitude >= _west && longitude <= _east : longitude >= _west || longitude <= _east)
                    bits.Set(slot);
            }
        }
    }
}
