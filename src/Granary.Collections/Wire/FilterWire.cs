using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Wire;

/// <summary>Filters, in a binary form of their own. The numbers of the kinds of conditions are part of the format.</summary>
public static partial class FilterWire
{
    /// <summary>Filters are nested so deep at most: twice what JSON allows, for those put together from several.</summary>
    public const int MaxDepth = 2 * FilterJson.MaxDepth;

    private const int HasMust = 1;
    private const int HasShould = 2;
    private const int HasMustNot = 4;
    private const int HasMinShould = 8;

    private enum Kind : byte
    {
        Filter = 1,
        MatchAny = 2,
        MatchExcept = 3,
        MatchText = 4,
        Range = 5,
        DatetimeRange = 6,
        GeoBoundingBox = 7,
        GeoRadius = 8,
        GeoPolygon = 9,
        ValuesCount = 10,
        IsEmpty = 11,
        IsNull = 12,
        HasId = 13,
        HasVector = 14,
        Nested = 15,
        Slice = 16,
    }

    /// <summary>A filter, or none, as a message.</summary>
    public static byte[] Encode(Filter? filter) => WireMessage.Encode(WireKind.Filter, filter, WriteOptional);

    /// <summary>The filter of a message.</summary>
    public static Filter? Decode(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Filter, message, ReadOptional);

    /// <summary>Writes whether there is a filter, and the filter.</summary>
    public static void WriteOptional(WireWriter writer, Filter? filter)
    {
        writer.Bool(filter is not null);
        if (filter is not null)
            Write(writer, filter);
    }

    /// <summary>Reads a filter, or none.</summary>
    public static Filter? ReadOptional(ref WireReader reader) => reader.Bool() ? Read(ref reader) : null;

    /// <summary>Writes a filter.</summary>
    /// <exception cref="GranaryException">It is nested deeper than <see cref="MaxDepth"/>.</exception>
    public static void Write(WireWriter writer, Filter filter) => Write(writer, filter, 1);

    /// <summary>Reads a filter.</summary>
    public static Filter Read(ref WireReader reader) => Read(ref reader, 1);

    /// <summary>Writes a value to match: its kind and itself.</summary>
    internal static void WriteMatch(WireWriter writer, MatchValue value)
    {
        switch (value.Kind)
        {
            case MatchValueKind.Keyword:
                writer.Byte((byte)MatchTag.Keyword);
                writer.String(value.Text ?? "");
                break;
            case MatchValueKind.Integer:
                writer.Byte((byte)MatchTag.Integer);
                writer.Signed(value.Integer);
                break;
            case MatchValueKind.Bool:
                writer.Byte((byte)(value.Boolean ? MatchTag.True : MatchTag.False));
                break;
            default:
                throw GranaryException.BadInput($"Unknown kind of value to match {value.Kind}");
        }
    }

    /// <summary>Reads a value to match.</summary>
    internal static MatchValue ReadMatch(ref WireReader reader) => reader.Byte() switch
    {
        (byte)MatchTag.Keyword => MatchValue.Of(reader.String()),
        (byte)MatchTag.Integer => MatchValue.Of(reader.Signed()),
        (byte)MatchTag.False => MatchValue.Of(false),
        (byte)MatchTag.True => MatchValue.Of(true),
        var tag => throw reader.Damaged($"unknown kind of value to match {tag}"),
    };

    private static void Write(WireWriter writer, Filter filter, int depth)
    {
        if (depth > MaxDepth)
            throw GranaryException.BadInput($"Filter is nested deeper than {MaxDepth}.");
        writer.Byte((byte)((filter.Must.IsDefaultOrEmpty ? 0 : HasMust) | (filter.Should.IsDefaultOrEmpty ? 0 : HasShould)
            | (filter.MustNot.IsDefaultOrEmpty ? 0 : HasMustNot) | (filter.MinShould is null ? 0 : HasMinShould)));
        if (!filter.Must.IsDefaultOrEmpty)
            WriteConditions(writer, filter.Must, depth);
        if (!filter.Should.IsDefaultOrEmpty)
            WriteConditions(writer, filter.Should, depth);
        if (!filter.MustNot.IsDefaultOrEmpty)
            WriteConditions(writer, filter.MustNot, depth);
        if (filter.MinShould is { } minimum)
        {
            writer.Signed(minimum.MinCount);
            WriteConditions(writer, minimum.Conditions, depth);
        }
    }

    private static void WriteConditions(WireWriter writer, ImmutableArray<Condition> conditions, int depth)
    {
        var all = conditions.IsDefault ? [] : conditions.AsSpan();
        writer.Count(all.Length);
        foreach (var condition in all)
            WriteCondition(writer, condition, depth);
    }

    private static Filter Read(ref WireReader reader, int depth)
    {
        if (depth > MaxDepth)
            throw reader.Damaged($"a filter nested deeper than {MaxDepth}");
        var flags = reader.Flags(HasMust | HasShould | HasMustNot | HasMinShould);
        return new Filter
        {
            Must = (flags & HasMust) != 0 ? ReadConditions(ref reader, depth) : [],
            Should = (flags & HasShould) != 0 ? ReadConditions(ref reader, depth) : [],
            MustNot = (flags & HasMustNot) != 0 ? ReadConditions(ref reader, depth) : [],
            MinShould = (flags & HasMinShould) != 0 ? ReadMinimum(ref reader, depth) : null,
        };
    }

    private static MinShould ReadMinimum(ref WireReader reader, int depth)
    {
        var least = reader.Int();
        return new MinShould(ReadConditions(ref reader, depth), least);
    }

    private static ImmutableArray<Condition> ReadConditions(ref WireReader reader, int depth)
    {
        // Every condition has its kind and at least one byte that is no other condition's.
        var conditions = ImmutableArray.CreateBuilder<Condition>(reader.Count(2));
        for (var i = conditions.Capacity; i > 0; i--)
            conditions.Add(ReadCondition(ref reader, depth));
        return conditions.MoveToImmutable();
    }

    private enum MatchTag : byte
    {
        Keyword = 1,
        Integer = 2,
        False = 3,
        True = 4,
    }
}
