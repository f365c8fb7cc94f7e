using FsCheck;
using FsCheck.Fluent;
using Granary.Collections.Wire;

namespace Granary.Collections.Tests.Wire;

/// <summary>One kind of message: how a value is made, encoded and decoded.</summary>
internal sealed record WireCase(WireKind Kind, Func<WireSamples, object?> Make, Func<object?, byte[]> Encode, Func<byte[], object?> Decode);

/// <summary>Every kind of message.</summary>
internal static class WireCases
{
    /// <summary>Seeds over the whole range: FsCheck's own integers are small.</summary>
    public static Arbitrary<int> Seeds { get; } = Gen.Choose(0, int.MaxValue - 1).ToArbitrary();

    public static IReadOnlyList<WireCase> All { get; } =
    [
        Of(WireKind.Error, s => s.Error(), ErrorWire.Encode, b => ErrorWire.Decode(b)),
        Of(WireKind.SearchRequest, s => s.Request(), SearchWire.Encode, b => SearchWire.DecodeRequest(b)),
        Of(WireKind.SearchAnswer, s => s.Answer(), SearchWire.Encode, b => SearchWire.DecodeAnswer(b)),
        Of(WireKind.StatisticsRequest, s => s.StatisticsRequest(), StatisticsWire.Encode, b => StatisticsWire.DecodeRequest(b)),
        Of(WireKind.StatisticsAnswer, s => s.StatisticsAnswer(), StatisticsWire.Encode, b => StatisticsWire.DecodeAnswer(b)),
        Of(WireKind.Selection, s => s.Selection(), SearchWire.Encode, b => SearchWire.DecodeSelection(b)),
        Of(WireKind.Ids, s => s.IdList(), PointWire.EncodeIds, b => PointWire.DecodeIds(b)),
        Of(WireKind.Points, s => s.Points(), PointWire.EncodePoints, b => PointWire.DecodePoints(b)),
        Of(WireKind.Filter, s => s.Filter(3), FilterWire.Encode, b => FilterWire.Decode(b)),
        Of(WireKind.Facets, s => s.Facets(), SearchWire.Encode, b => SearchWire.DecodeFacets(b)),
        Of(WireKind.ReadOptions, s => s.Read(), SearchWire.Encode, b => SearchWire.DecodeReadOptions(b)),
        Of(WireKind.Status, s => s.Status(), StatusWire.Encode, b => StatusWire.DecodeStatus(b)),
        Of(WireKind.Timings, s => s.Timings(), StatusWire.Encode, b => StatusWire.DecodeTimings(b)),
        Of(WireKind.Failures, s => s.Failures(), StatusWire.Encode, b => StatusWire.DecodeFailures(b)),
        Of(WireKind.StatisticsCall, s => s.StatisticsCall(), CallWire.Encode, b => CallWire.DecodeStatistics(b)),
        Of(WireKind.FetchCall, s => s.FetchCall(), CallWire.Encode, b => CallWire.DecodeFetch(b)),
        Of(WireKind.CountCall, s => s.CountCall(), CallWire.Encode, b => CallWire.DecodeCount(b)),
        Of(WireKind.FacetCall, s => s.FacetCall(), CallWire.Encode, b => CallWire.DecodeFacet(b)),
        Of(WireKind.Number, s => s.Long(), CallWire.EncodeNumber, b => CallWire.DecodeNumber(b)),
        Of<object?>(WireKind.Done, _ => null, _ => CallWire.EncodeDone(), Done),
        Of(WireKind.Report, s => s.Report(), StatusWire.Encode, b => StatusWire.DecodeReport(b)),
        Of(WireKind.Schema, s => s.Schema(), CallWire.Encode, b => CallWire.DecodeSchema(b)),
        Of(WireKind.Wait, s => s.Wait(), StatusWire.Encode, b => StatusWire.DecodeWait(b)),
    ];

    public static WireCase Find(WireKind kind) => All.Single(c => c.Kind == kind);

    private static object? Done(byte[] message)
    {
        CallWire.DecodeDone(message);
        return null;
    }

    private static WireCase Of<T>(WireKind kind, Func<WireSamples, T> make, Func<T, byte[]> encode, Func<byte[], object?> decode) =>
        new(kind, s => make(s), value => encode((T)value!), decode);
}
