using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Wire;

public static partial class FilterWire
{
    private static void WriteCondition(WireWriter writer, Condition condition, int depth)
    {
        switch (condition)
        {
            case FilterCondition c:
                writer.Byte((byte)Kind.Filter);
                Write(writer, c.Filter, depth + 1);
                break;
            case MatchAnyCondition c:
                Begin(Kind.MatchAny, c.Key);
                WriteMatches(writer, c.Values);
                break;
            case MatchExceptCondition c:
                Begin(Kind.MatchExcept, c.Key);
                WriteMatches(writer, c.Values);
                break;
            case MatchTextCondition c:
                Begin(Kind.MatchText, c.Key);
                writer.String(c.Text);
                writer.Byte((byte)c.Mode);
                break;
            case RangeCondition c:
                Begin(Kind.Range, c.Key);
                WriteBounds(writer, c.Gt, c.Gte, c.Lt, c.Lte, static (w, bound) => w.Double(bound));
                break;
            case DatetimeRangeCondition c:
                Begin(Kind.DatetimeRange, c.Key);
                WriteBounds(writer, c.Gt, c.Gte, c.Lt, c.Lte, ScalarWire.WriteInstant);
                break;
            case GeoBoundingBoxCondition c:
                Begin(Kind.GeoBoundingBox, c.Key);
                WritePlace(writer, c.TopLeft);
                WritePlace(writer, c.BottomRight);
                break;
            case GeoRadiusCondition c:
                Begin(Kind.GeoRadius, c.Key);
                WritePlace(writer, c.Center);
                writer.Double(c.RadiusMeters);
                break;
            case GeoPolygonCondition c:
                Begin(Kind.GeoPolygon, c.Key);
                WriteRing(writer, c.Exterior);
                var interiors = c.Interiors.IsDefault ? [] : c.Interiors.AsSpan();
                writer.Count(interiors.Length);
                foreach (var ring in interiors)
                    WriteRing(writer, ring);
                break;
            case ValuesCountCondition c:
                Begin(Kind.ValuesCount, c.Key);
                WriteBounds(writer, c.Gt, c.Gte, c.Lt, c.Lte, static (w, bound) => w.Signed(bound));
                break;
            case IsEmptyCondition c:
                Begin(Kind.IsEmpty, c.Key);
                break;
            case IsNullCondition c:
                Begin(Kind.IsNull, c.Key);
                break;
            case HasIdCondition c:
                writer.Byte((byte)Kind.HasId);
                WriteIds(writer, c.Ids);
                break;
            case HasVectorCondition c:
                Begin(Kind.HasVector, c.Vector);
                break;
            case NestedCondition c:
                Begin(Kind.Nested, c.Key);
                Write(writer, c.Filter, depth + 1);
                break;
            case SliceCondition c:
                writer.Byte((byte)Kind.Slice);
                writer.Signed(c.Index);
                writer.Signed(c.Total);
                break;
            default:
                throw GranaryException.BadInput($"Unknown kind of condition {condition?.GetType().Name ?? "null"}");
        }

        void Begin(Kind kind, string key)
        {
            writer.Byte((byte)kind);
            writer.String(key);
        }
    }

    private static Condition ReadCondition(ref WireReader reader, int depth)
    {
        var kind = (Kind)reader.Byte();
        return kind switch
        {
            Kind.Filter => new FilterCondition(Read(ref reader, depth + 1)),
            Kind.MatchAny => new MatchAnyCondition(reader.String(), reader.Immutable(1, ReadMatch)),
            Kind.MatchExcept => new MatchExceptCondition(reader.String(), reader.Immutable(1, ReadMatch)),
            Kind.MatchText => new MatchTextCondition(reader.String(), reader.String(), reader.Enumerated<TextMatchMode>()),
            Kind.Range => ReadRange(ref reader),
            Kind.DatetimeRange => ReadDatetimeRange(ref reader),
            Kind.GeoBoundingBox => new GeoBoundingBoxCondition(reader.String(), ReadPlace(ref reader), ReadPlace(ref reader)),
            Kind.GeoRadius => new GeoRadiusCondition(reader.String(), ReadPlace(ref reader), reader.Double()),
            Kind.GeoPolygon => new GeoPolygonCondition(reader.String(), ReadRing(ref reader), reader.Immutable(1, ReadRing)),
            Kind.ValuesCount => ReadValuesCount(ref reader),
            Kind.IsEmpty => new IsEmptyCondition(reader.String()),
            Kind.IsNull => new IsNullCondition(reader.String()),
            Kind.HasId => new HasIdCondition(reader.Immutable(1, PointWire.ReadId)),
            Kind.HasVector => new HasVectorCondition(reader.String()),
            Kind.Nested => new NestedCondition(reader.String(), Read(ref reader, depth + 1)),
            Kind.Slice => new SliceCondition(reader.Int(), reader.Int()),
            _ => throw reader.Damaged($"unknown kind of condition {(byte)kind}"),
        };
    }

    private static RangeCondition ReadRange(ref WireReader reader)
    {
        var key = reader.String();
        var (gt, gte, lt, lte) = ReadBounds(ref reader, static (ref WireReader r) => r.Double());
        return new RangeCondition(key, gt, gte, lt, lte);
    }

    private static DatetimeRangeCondition ReadDatetimeRange(ref WireReader reader)
    {
        var key = reader.String();
        var (gt, gte, lt, lte) = ReadBounds(ref reader, ScalarWire.ReadInstant);
        return new DatetimeRangeCondition(key, gt, gte, lt, lte);
    }

    private static ValuesCountCondition ReadValuesCount(ref WireReader reader)
    {
        var key = reader.String();
        var (gt, gte, lt, lte) = ReadBounds(ref reader, static (ref WireReader r) => r.Int());
        return new ValuesCountCondition(key, gt, gte, lt, lte);
    }

    /// <summary>Which of the four bounds there are (gt 1, gte 2, lt 4, lte 8), then these.</summary>
    private static void WriteBounds<T>(WireWriter writer, T? gt, T? gte, T? lt, T? lte, Action<WireWriter, T> write) where T : struct
    {
        writer.Byte((byte)((gt is null ? 0 : 1) | (gte is null ? 0 : 2) | (lt is null ? 0 : 4) | (lte is null ? 0 : 8)));
        if (gt is { } greater)
            write(writer, greater);
        if (gte is { } least)
            write(writer, least);
        if (lt is { } less)
            write(writer, less);
        if (lte is { } most)
            write(writer, most);
    }

    private static (T? Gt, T? Gte, T? Lt, T? Lte) ReadBounds<T>(ref WireReader reader, WireRead<T> read) where T : struct
    {
        var flags = reader.Flags(15);
        T? gt = (flags & 1) != 0 ? read(ref reader) : null;
        T? gte = (flags & 2) != 0 ? read(ref reader) : null;
        T? lt = (flags & 4) != 0 ? read(ref reader) : null;
        T? lte = (flags & 8) != 0 ? read(ref reader) : null;
        return (gt, gte, lt, lte);
    }

    private static void WriteMatches(WireWriter writer, ImmutableArray<MatchValue> values)
    {
        var all = values.IsDefault ? [] : values.AsSpan();
        writer.Count(all.Length);
        foreach (var value in all)
            WriteMatch(writer, value);
    }

    private static void WriteIds(WireWriter writer, ImmutableArray<PointId> ids)
    {
        var all = ids.IsDefault ? [] : ids.AsSpan();
        writer.Count(all.Length);
        foreach (var id in all)
            PointWire.WriteId(writer, id);
    }

    private static void WriteRing(WireWriter writer, ImmutableArray<GeoPoint> ring)
    {
        var all = ring.IsDefault ? [] : ring.AsSpan();
        writer.Count(all.Length);
        foreach (var place in all)
            WritePlace(writer, place);
    }

    private static ImmutableArray<GeoPoint> ReadRing(ref WireReader reader) => reader.Immutable(16, ReadPlace);

    private static void WritePlace(WireWriter writer, GeoPoint place)
    {
        writer.Double(place.Longitude);
        writer.Double(place.Latitude);
    }

    private static GeoPoint ReadPlace(ref WireReader reader) => new(reader.Double(), reader.Double());
}
