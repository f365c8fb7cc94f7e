using System.Runtime.InteropServices;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Wire;

/// <summary>A round of a query and its answer, and what else reading needs: options, selections, facets.</summary>
public static class SearchWire
{
    /// <summary>A request as a message.</summary>
    public static byte[] Encode(PartitionRequest request) => WireMessage.Encode(WireKind.SearchRequest, request, Write);

    /// <summary>The request of a message.</summary>
    public static PartitionRequest DecodeRequest(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.SearchRequest, message, ReadRequest);

    /// <summary>An answer as a message.</summary>
    public static byte[] Encode(PartitionAnswer answer) => WireMessage.Encode(WireKind.SearchAnswer, answer, Write);

    /// <summary>The answer of a message.</summary>
    public static PartitionAnswer DecodeAnswer(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.SearchAnswer, message, ReadAnswer);

    /// <summary>What is wanted of points, as a message.</summary>
    public static byte[] Encode(PointSelection selection) => WireMessage.Encode(WireKind.Selection, selection, Write);

    /// <summary>The selection of a message.</summary>
    public static PointSelection DecodeSelection(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.Selection, message, ReadSelection);

    /// <summary>What a read must see, as a message.</summary>
    public static byte[] Encode(ReadOptions options) => WireMessage.Encode(WireKind.ReadOptions, options, Write);

    /// <summary>The options of a message.</summary>
    public static ReadOptions DecodeReadOptions(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.ReadOptions, message, ReadReadOptions);

    /// <summary>A facet's values as a message.</summary>
    public static byte[] Encode(IReadOnlyList<FacetHit> hits) => WireMessage.Encode(WireKind.Facets, hits, Write);

    /// <summary>The facet's values of a message.</summary>
    public static FacetHit[] DecodeFacets(ReadOnlyMemory<byte> message) => WireMessage.Decode(WireKind.Facets, message, ReadFacets);

    /// <summary>Writes a request.</summary>
    public static void Write(WireWriter writer, PartitionRequest request)
    {
        Write(writer, request.Read);
        writer.Count(request.Legs.Count);
        for (var i = 0; i < request.Legs.Count; i++)
            LegWire.Write(writer, request.Legs[i]);
        writer.Bool(request.Fetch is not null);
        if (request.Fetch is not null)
            Write(writer, request.Fetch);
        writer.Bool(request.Points is not null);
        if (request.Points is not null)
            PointWire.WriteIds(writer, request.Points);
        writer.Bool(request.Cross is not null);
        if (request.Cross is { } cross)
        {
            writer.Count(cross.Hits.Length);
            foreach (var hits in cross.Hits)
                writer.Signed(hits);
            writer.Floats(cross.Weights.AsSpan());
            writer.Signed(cross.Vectors);
        }
    }

    /// <summary>Reads a request.</summary>
    public static PartitionRequest ReadRequest(ref WireReader reader)
    {
        var read = ReadReadOptions(ref reader);
        var legs = reader.Array(3, LegWire.Read);
        return new PartitionRequest(legs, read)
        {
            Fetch = reader.Bool() ? ReadSelection(ref reader) : null,
            Points = reader.Bool() ? PointWire.ReadIds(ref reader) : null,
            Cross = reader.Bool()
                ? new CrossScoring(
                    reader.Immutable(1, static (ref WireReader r) => r.Int()),
                    ImmutableCollectionsMarshal.AsImmutableArray(reader.Floats()), reader.Int())
                : null,
        };
    }

    /// <summary>Writes an answer.</summary>
    public static void Write(WireWriter writer, PartitionAnswer answer)
    {
        writer.Count(answer.Legs.Count);
        for (var i = 0; i < answer.Legs.Count; i++)
        {
            var (hits, higher) = answer.Legs[i];
            var floor = answer.Legs[i].Floor;
            writer.Byte((byte)((higher ? 1 : 0) | (answer.Legs[i].Outdated ? 2 : 0) | (floor is null ? 0 : 4)));
            if (floor is { } score)
                writer.Float(score);
            writer.Count(hits.Count);
            for (var j = 0; j < hits.Count; j++)
                PointWire.WriteHit(writer, hits[j]);
        }

        writer.Bool(answer.Points is not null);
        if (answer.Points is not null)
            PointWire.WritePoints(writer, answer.Points);
        writer.Bool(answer.Statistics is not null);
        if (answer.Statistics is not null)
            StatisticsWire.Write(writer, answer.Statistics);
        writer.Bool(answer.Cross is not null);
        if (answer.Cross is { } cross)
        {
            PointWire.WriteIds(writer, cross.Ids);
            writer.Count(cross.Scores.Count);
            foreach (var scores in cross.Scores)
                writer.Floats(scores);
            PointWire.WritePoints(writer, cross.Best);
        }
    }

    /// <summary>Reads an answer.</summary>
    public static PartitionAnswer ReadAnswer(ref WireReader reader)
    {
        var legs = reader.Array(2, static (ref WireReader r) =>
        {
            var flags = r.Flags(7);
            float? floor = (flags & 4) != 0 ? r.Float() : null;
            var hits = new LegHit[r.Count(5)];
            for (var i = 0; i < hits.Length; i++)
                hits[i] = PointWire.ReadHit(ref r);
            return new LegResult(hits, (flags & 1) != 0) { Outdated = (flags & 2) != 0, Floor = floor };
        });
        return new PartitionAnswer(legs, reader.Bool() ? PointWire.ReadPoints(ref reader) : null)
        {
            Statistics = reader.Bool() ? StatisticsWire.ReadAnswer(ref reader) : null,
            Cross = reader.Bool() ? ReadCross(ref reader) : null,
        };
    }

    /// <summary>Writes what is wanted of points.</summary>
    public static void Write(WireWriter writer, PointSelection selection)
    {
        var (payload, vectors) = (selection.Payload, selection.Vectors);
        writer.Byte((byte)((payload.Enabled ? 1 : 0) | (vectors.All ? 2 : 0) | (vectors.Names is null ? 0 : 4)));
        WriteStrings(writer, payload.Include.IsDefault ? [] : payload.Include);
        WriteStrings(writer, payload.Exclude.IsDefault ? [] : payload.Exclude);
        if (vectors.Names is not null)
            WriteStrings(writer, vectors.Names);
    }

    /// <summary>Reads what is wanted of points.</summary>
    public static PointSelection ReadSelection(ref WireReader reader)
    {
        var flags = reader.Flags(7);
        var include = reader.Immutable(1, ReadString);
        var exclude = reader.Immutable(1, ReadString);
        var names = (flags & 4) != 0 ? reader.Array(1, ReadString) : null;
        return new PointSelection(
            new PayloadSelector((flags & 1) != 0, include, exclude), new VectorSelector((flags & 2) != 0, names));
    }

    /// <summary>Writes what a read must see.</summary>
    public static void Write(WireWriter writer, ReadOptions options)
    {
        writer.Byte((byte)((options.Strong is true ? 1 : 0) | (options.MinOperation is null ? 0 : 2) | (options.Timeout is null ? 0 : 4)
            | (options.Strong is null ? 8 : 0)));
        if (options.MinOperation is { } operation)
            writer.Signed(operation);
        if (options.Timeout is { } limit)
            writer.Signed(limit.Ticks);
    }

    /// <summary>Reads what a read must see.</summary>
    public static ReadOptions ReadReadOptions(ref WireReader reader)
    {
        var flags = reader.Flags(15);
        return new ReadOptions
        {
            Strong = (flags & 8) != 0 ? null : (flags & 1) != 0,
            MinOperation = (flags & 2) != 0 ? reader.Signed() : null,
            Timeout = (flags & 4) != 0 ? TimeSpan.FromTicks(reader.Signed()) : null,
        };
    }

    /// <summary>Writes a facet's values behind their number.</summary>
    public static void Write(WireWriter writer, IReadOnlyList<FacetHit> hits)
    {
        writer.Count(hits.Count);
        for (var i = 0; i < hits.Count; i++)
        {
            FilterWire.WriteMatch(writer, hits[i].Value);
            writer.Signed(hits[i].Count);
        }
    }

    /// <summary>Reads a facet's values.</summary>
    public static FacetHit[] ReadFacets(ref WireReader reader) =>
        reader.Array(2, static (ref WireReader r) => new FacetHit(FilterWire.ReadMatch(ref r), r.Signed()));

    private static CrossScores ReadCross(ref WireReader reader)
    {
        var ids = PointWire.ReadIds(ref reader);
        var scores = reader.Array(1, static (ref WireReader r) => r.Floats());
        if (System.Array.Exists(scores, s => s.Length != ids.Length))
            throw reader.Damaged($"scores of other than {ids.Length} points");
        return new CrossScores(ids, scores, PointWire.ReadPoints(ref reader));
    }

    private static void WriteStrings(WireWriter writer, IReadOnlyList<string> texts)
    {
        writer.Count(texts.Count);
        for (var i = 0; i < texts.Count; i++)
            writer.String(texts[i]);
    }

    private static string ReadString(ref WireReader reader) => reader.String();
}
