using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Wire;

/// <summary>Points: ids, order values, vectors and whole records.</summary>
public static class PointWire
{
    private const int Kinds = 3;
    private const int HasPayload = 4;
    private const int HasVectors = 8;
    private const int HasOrder = 16;

    /// <summary>A list of ids as a message.</summary>
    public static byte[] EncodeIds(IReadOnlyList<PointId> ids) => WireMessage.Encode(WireKind.Ids, ids, WriteIds);

    /// <summary>The ids of a message.</summary>
    public static PointId[] DecodeIds(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Ids, message, ReadIds);

    /// <summary>A list of points as a message.</summary>
    public static byte[] EncodePoints(IReadOnlyList<PointRecord> points) => WireMessage.Encode(WireKind.Points, points, WritePoints);

    /// <summary>The points of a message.</summary>
    public static PointRecord[] DecodePoints(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Points, message, ReadPoints);

    /// <summary>Writes an id: its kind, then a varint or a UUID's 16 bytes in network order.</summary>
    public static void WriteId(WireWriter writer, PointId id)
    {
        writer.Byte((byte)id.Kind);
        WriteIdValue(writer, id);
    }

    /// <summary>Reads an id.</summary>
    public static PointId ReadId(ref WireReader reader) => ReadIdValue(ref reader, reader.Byte());

    /// <summary>Writes ids behind their number.</summary>
    public static void WriteIds(WireWriter writer, IReadOnlyList<PointId> ids)
    {
        writer.Count(ids.Count);
        for (var i = 0; i < ids.Count; i++)
            WriteId(writer, ids[i]);
    }

    /// <summary>Reads ids.</summary>
    public static PointId[] ReadIds(ref WireReader reader)
    {
        var ids = new PointId[reader.Count(1)];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = ReadId(ref reader);
        return ids;
    }

    /// <summary>Writes points behind their number.</summary>
    public static void WritePoints(WireWriter writer, IReadOnlyList<PointRecord> points)
    {
        writer.Count(points.Count);
        for (var i = 0; i < points.Count; i++)
            WritePoint(writer, points[i]);
    }

    /// <summary>Reads points.</summary>
    public static PointRecord[] ReadPoints(ref WireReader reader) => reader.Array(2, ReadPoint);

    /// <summary>Writes an order value; the number only where it is not the integer's.</summary>
    public static void WriteOrder(WireWriter writer, OrderValue order)
    {
        var derived = BitConverter.DoubleToInt64Bits(order.Number) == BitConverter.DoubleToInt64Bits(order.Integer);
        writer.Byte((byte)((order.IsInteger ? 1 : 0) | (derived ? 0 : 2)));
        writer.Signed(order.Integer);
        if (!derived)
            writer.Double(order.Number);
    }

    /// <summary>Reads an order value.</summary>
    public static OrderValue ReadOrder(ref WireReader reader)
    {
        var flags = reader.Flags(3);
        var integer = reader.Signed();
        return new OrderValue((flags & 2) != 0 ? reader.Double() : integer, integer, (flags & 1) != 0);
    }

    /// <summary>Writes a hit: the id's kind with a flag for the order value, the id, the score, the order value.</summary>
    internal static void WriteHit(WireWriter writer, in LegHit hit)
    {
        writer.Byte((byte)((int)hit.Id.Kind | (hit.Order is null ? 0 : HasOrder)));
        WriteIdValue(writer, hit.Id);
        writer.Float(hit.Score);
        if (hit.Order is { } order)
            WriteOrder(writer, order);
    }

    /// <summary>Reads a hit.</summary>
    internal static LegHit ReadHit(ref WireReader reader)
    {
        var flags = reader.Flags(Kinds | HasOrder);
        var id = ReadIdValue(ref reader, flags & Kinds);
        var score = reader.Float();
        return new LegHit(id, score) { Order = (flags & HasOrder) != 0 ? ReadOrder(ref reader) : null };
    }

    private static void WriteIdValue(WireWriter writer, PointId id)
    {
        if (id.Kind == PointIdKind.Number)
        {
            writer.Unsigned(id.Number);
        }
        else if (id.Kind == PointIdKind.Uuid)
        {
            id.Uuid.TryWriteBytes(writer.Take(16), bigEndian: true, out _);
        }
    }

    private static PointId ReadIdValue(ref WireReader reader, int kind) => (PointIdKind)kind switch
    {
        PointIdKind.None => default,
        PointIdKind.Number => new PointId(reader.Unsigned()),
        PointIdKind.Uuid => new PointId(new Guid(reader.Take(16), bigEndian: true)),
        _ => throw reader.Damaged($"unknown kind of id {kind}"),
    };

    private static void WritePoint(WireWriter writer, PointRecord point)
    {
        writer.Byte((byte)((int)point.Id.Kind | (point.Payload is null ? 0 : HasPayload) | (point.Vectors is null ? 0 : HasVectors)
            | (point.Order is null ? 0 : HasOrder)));
        WriteIdValue(writer, point.Id);
        writer.Signed(point.Version);
        if (point.Payload is { } payload)
            writer.Blob(payload.Span);
        if (point.Vectors is { } vectors)
        {
            var all = vectors.IsDefault ? [] : vectors.AsSpan();
            writer.Count(all.Length);
            foreach (var vector in all)
                WriteVector(writer, vector);
        }

        if (point.Order is { } order)
            WriteOrder(writer, order);
    }

    private static PointRecord ReadPoint(ref WireReader reader)
    {
        var flags = reader.Flags(Kinds | HasPayload | HasVectors | HasOrder);
        return new PointRecord(ReadIdValue(ref reader, flags & Kinds), reader.Signed())
        {
            Payload = (flags & HasPayload) != 0 ? reader.Blob() : default(ReadOnlyMemory<byte>?),
            Vectors = (flags & HasVectors) != 0 ? reader.Immutable(4, ReadVector) : default(ImmutableArray<NamedVector>?),
            Order = (flags & HasOrder) != 0 ? ReadOrder(ref reader) : null,
        };
    }

    private static void WriteVector(WireWriter writer, NamedVector vector)
    {
        writer.Byte((byte)((vector.Indices is null ? 0 : 1) | (vector.ComputedFrom is null ? 0 : 2)));
        writer.String(vector.Name);
        if (vector.ComputedFrom is not null)
            writer.String(vector.ComputedFrom);
        writer.Signed(vector.Rows);
        if (vector.Indices is not null)
            writer.UInts(vector.Indices);
        writer.Floats(vector.Values);
    }

    private static NamedVector ReadVector(ref WireReader reader)
    {
        var flags = reader.Flags(3);
        var name = reader.Name();
        var computedFrom = (flags & 2) != 0 ? reader.String() : null;
        var rows = reader.Int();
        var indices = (flags & 1) != 0 ? reader.UInts() : null;
        return new NamedVector(name, reader.Floats(), rows, indices) { ComputedFrom = computedFrom };
    }
}
