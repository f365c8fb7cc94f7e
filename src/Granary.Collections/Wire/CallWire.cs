using Granary.Collections.Catalog;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections.Wire;

/// <summary>A call of <see cref="IPartitionSearch.StatisticsAsync"/>.</summary>
public sealed record StatisticsCall(StatisticsRequest Request, ReadOptions Read);

/// <summary>A call of <see cref="IPartitionSearch.FetchAsync"/>.</summary>
public sealed record FetchCall(IReadOnlyList<PointId> Ids, PointSelection Selection, ReadOptions Read);

/// <summary>A call of <see cref="IPartitionSearch.CountAsync"/>.</summary>
public sealed record CountCall(Filter? Filter, bool Exact, ReadOptions Read);

/// <summary>A call of <see cref="IPartitionSearch.FacetAsync"/>.</summary>
public sealed record FacetCall(string Key, Filter? Filter, int Limit, bool Exact, ReadOptions Read);

/// <summary>
/// Calls of a partition's reading side that have several arguments, each as one message (a search is <see cref="SearchWire"/>'s), and the
/// answers that no other class tells: a number, and nothing.
/// </summary>
public static class CallWire
{
    /// <summary>A call as a message.</summary>
    public static byte[] Encode(StatisticsCall call) => WireMessage.Encode(WireKind.StatisticsCall, call, static (writer, c) =>
    {
        SearchWire.Write(writer, c.Read);
        StatisticsWire.Write(writer, c.Request);
    });

    /// <summary>A call as a message.</summary>
    public static byte[] Encode(FetchCall call) => WireMessage.Encode(WireKind.FetchCall, call, static (writer, c) =>
    {
        SearchWire.Write(writer, c.Read);
        SearchWire.Write(writer, c.Selection);
        PointWire.WriteIds(writer, c.Ids);
    });

    /// <summary>A call as a message.</summary>
    public static byte[] Encode(CountCall call) => WireMessage.Encode(WireKind.CountCall, call, static (writer, c) =>
    {
        SearchWire.Write(writer, c.Read);
        writer.Bool(c.Exact);
        FilterWire.WriteOptional(writer, c.Filter);
    });

    /// <summary>A call as a message.</summary>
    public static byte[] Encode(FacetCall call) => WireMessage.Encode(WireKind.FacetCall, call, static (writer, c) =>
    {
        SearchWire.Write(writer, c.Read);
        writer.String(c.Key);
        writer.Signed(c.Limit);
        writer.Bool(c.Exact);
        FilterWire.WriteOptional(writer, c.Filter);
    });

    /// <summary>The call of a message.</summary>
    public static StatisticsCall DecodeStatistics(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.StatisticsCall, message, static (ref WireReader reader) =>
        {
            var read = SearchWire.ReadReadOptions(ref reader);
            return new StatisticsCall(StatisticsWire.ReadRequest(ref reader), read);
        });

    /// <summary>The call of a message.</summary>
    public static FetchCall DecodeFetch(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.FetchCall, message, static (ref WireReader reader) =>
        {
            var read = SearchWire.ReadReadOptions(ref reader);
            var selection = SearchWire.ReadSelection(ref reader);
            return new FetchCall(PointWire.ReadIds(ref reader), selection, read);
        });

    /// <summary>The call of a message.</summary>
    public static CountCall DecodeCount(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.CountCall, message, static (ref WireReader reader) =>
        {
            var read = SearchWire.ReadReadOptions(ref reader);
            var exact = reader.Bool();
            return new CountCall(FilterWire.ReadOptional(ref reader), exact, read);
        });

    /// <summary>The call of a message.</summary>
    public static FacetCall DecodeFacet(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.FacetCall, message, static (ref WireReader reader) =>
        {
            var read = SearchWire.ReadReadOptions(ref reader);
            var key = reader.String();
            var limit = reader.Int();
            var exact = reader.Bool();
            return new FacetCall(key, FilterWire.ReadOptional(ref reader), limit, exact, read);
        });

    /// <summary>A number (of points that match) as a message.</summary>
    public static byte[] EncodeNumber(long number) => WireMessage.Encode(WireKind.Number, number, static (writer, n) => writer.Signed(n));

    /// <summary>The number of a message.</summary>
    public static long DecodeNumber(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.Number, message, static (ref WireReader reader) => reader.Signed());

    /// <summary>A schema as a message.</summary>
    public static byte[] Encode(IndexSchema schema) =>
        WireMessage.Encode(WireKind.Schema, schema, static (writer, s) => writer.Blob(CatalogJson.Write(s)));

    /// <summary>The schema of a message.</summary>
    public static IndexSchema DecodeSchema(ReadOnlyMemory<byte> message) =>
        CatalogJson.ReadSchema(WireMessage.Decode(WireKind.Schema, message, static (ref WireReader reader) => reader.Blob()));

    /// <summary>The answer of a call that answers nothing.</summary>
    public static byte[] EncodeDone() => [WireMessage.Version, (byte)WireKind.Done];

    /// <summary>Throws the error, if the answer is one.</summary>
    public static void DecodeDone(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.Done, message, static (ref WireReader _) => true);
}
