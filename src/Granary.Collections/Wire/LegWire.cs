using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Collections.Wire;

/// <summary>Legs. The numbers of their kinds are part of the format.</summary>
public static class LegWire
{
    private const int HasFilter = 1;
    private const int HasThreshold = 2;
    private const int HasCandidates = 4;

    private enum Kind : byte
    {
        Dense = 1,
        Sparse = 2,
        Text = 3,
        Scan = 4,
        Order = 5,
        Sample = 6,
        Example = 7,
        EveryTerm = 8,
    }

    /// <summary>Writes a leg: kind, what all legs have, what this kind has.</summary>
    public static void Write(WireWriter writer, Leg leg)
    {
        switch (leg)
        {
            case DenseLeg dense:
                Begin(writer, Kind.Dense, leg);
                WriteDense(writer, dense);
                break;
            case SparseLeg sparse:
                Begin(writer, Kind.Sparse, leg);
                writer.String(sparse.Vector);
                writer.UInts(sparse.Indices.IsDefault ? [] : sparse.Indices.AsSpan());
                writer.Floats(sparse.Values.IsDefault ? [] : sparse.Values.AsSpan());
                WriteStatistics(writer, sparse.Statistics);
                break;
            case TextLeg text:
                Begin(writer, text.EveryTerm ? Kind.EveryTerm : Kind.Text, leg);
                writer.String(text.Field);
                writer.String(text.Text);
                writer.Bool(text.Statistics is not null);
                if (text.Statistics is not null)
                    StatisticsWire.WriteText(writer, text.Statistics);
                writer.Bool(text.Known is not null);
                if (text.Known is { } known)
                {
                    writer.Count(known.Terms.Length);
                    foreach (var term in known.Terms)
                        writer.String(term);
                    StatisticsWire.WriteCounts(writer, known.All);
                    StatisticsWire.WriteCounts(writer, known.Own);
                }

                writer.Bool(text.Floor is not null);
                if (text.Floor is { } floor)
                {
                    writer.Float(floor.Value);
                    writer.Signed(floor.Limit);
                    writer.Signed(floor.Partitions);
                }

                break;
            case ScanLeg scan:
                Begin(writer, Kind.Scan, leg);
                writer.Bool(scan.From is not null);
                if (scan.From is { } from)
                    PointWire.WriteId(writer, from);
                break;
            case OrderLeg order:
                Begin(writer, Kind.Order, leg);
                writer.String(order.Key);
                writer.Byte((byte)((order.Descending ? 1 : 0) | (order.StartFrom is null ? 0 : 2)));
                if (order.StartFrom is { } start)
                    PointWire.WriteOrder(writer, start);
                break;
            case SampleLeg sample:
                Begin(writer, Kind.Sample, leg);
                writer.Unsigned(sample.Seed);
                break;
            case ExampleLeg example:
                Begin(writer, Kind.Example, leg);
                WriteExamples(writer, example);
                break;
            default:
                throw GranaryException.BadInput($"Unknown kind of query {leg?.GetType().Name ?? "null"}");
        }
    }

    /// <summary>Reads a leg.</summary>
    public static Leg Read(ref WireReader reader)
    {
        var kind = (Kind)reader.Byte();
        var flags = reader.Flags(HasFilter | HasThreshold | HasCandidates);
        var limit = reader.Int();
        float? threshold = (flags & HasThreshold) != 0 ? reader.Float() : null;
        var filter = (flags & HasFilter) != 0 ? FilterWire.Read(ref reader) : null;
        var candidates = (flags & HasCandidates) != 0 ? PointWire.ReadIds(ref reader) : null;
        return kind switch
        {
            Kind.Dense => ReadDense(ref reader, limit, threshold, filter, candidates),
            Kind.Sparse => new SparseLeg(reader.String(), Frozen(reader.UInts()), Frozen(reader.Floats()))
            {
                Statistics = ReadStatistics(ref reader),
                Limit = limit,
                ScoreThreshold = threshold,
                Filter = filter,
                Candidates = candidates,
            },
            Kind.Text or Kind.EveryTerm => new TextLeg(reader.String(), reader.String())
            {
                EveryTerm = kind == Kind.EveryTerm,
                Statistics = reader.Bool() ? StatisticsWire.ReadText(ref reader) : null,
                Known = reader.Bool() ? ReadKnown(ref reader) : null,
                Floor = reader.Bool() ? ScoreFloor.At(reader.Float(), reader.Int(), reader.Int()) : null,
                Limit = limit,
                ScoreThreshold = threshold,
                Filter = filter,
                Candidates = candidates,
            },
            Kind.Scan => new ScanLeg
            {
                From = reader.Bool() ? PointWire.ReadId(ref reader) : null,
                Limit = limit,
                ScoreThreshold = threshold,
                Filter = filter,
                Candidates = candidates,
            },
            Kind.Order => ReadOrder(ref reader) with
            {
                Limit = limit,
                ScoreThreshold = threshold,
                Filter = filter,
                Candidates = candidates,
            },
            Kind.Sample => new SampleLeg(reader.Unsigned())
            {
                Limit = limit,
                ScoreThreshold = threshold,
                Filter = filter,
                Candidates = candidates,
            },
            Kind.Example => ReadExamples(ref reader) with
            {
                Limit = limit,
                ScoreThreshold = threshold,
                Filter = filter,
                Candidates = candidates,
            },
            _ => throw reader.Damaged($"unknown kind of query {(byte)kind}"),
        };
    }

    private static void Begin(WireWriter writer, Kind kind, Leg leg)
    {
        writer.Byte((byte)kind);
        writer.Byte((byte)((leg.Filter is null ? 0 : HasFilter) | (leg.ScoreThreshold is null ? 0 : HasThreshold)
            | (leg.Candidates is null ? 0 : HasCandidates)));
        writer.Signed(leg.Limit);
        if (leg.ScoreThreshold is { } threshold)
            writer.Float(threshold);
        if (leg.Filter is not null)
            FilterWire.Write(writer, leg.Filter);
        if (leg.Candidates is not null)
            PointWire.WriteIds(writer, leg.Candidates);
    }

    private static void WriteDense(WireWriter writer, DenseLeg leg)
    {
        writer.String(leg.Vector);
        writer.Byte((byte)((leg.Exact ? 1 : 0) | (leg.IndexedOnly ? 2 : 0) | (leg.Ef is null ? 0 : 4)));
        if (leg.Ef is { } ef)
            writer.Signed(ef);
        writer.Signed(leg.Rows);
        writer.Floats(leg.Query.Span);
    }

    private static DenseLeg ReadDense(ref WireReader reader, int limit, float? threshold, Filter? filter, PointId[]? candidates)
    {
        var vector = reader.String();
        var flags = reader.Flags(7);
        int? ef = (flags & 4) != 0 ? reader.Int() : null;
        var rows = reader.Int();
        return new DenseLeg(vector, reader.Floats())
        {
            Rows = rows,
            Ef = ef,
            Exact = (flags & 1) != 0,
            IndexedOnly = (flags & 2) != 0,
            Limit = limit,
            ScoreThreshold = threshold,
            Filter = filter,
            Candidates = candidates,
        };
    }

    private static OrderLeg ReadOrder(ref WireReader reader)
    {
        var key = reader.String();
        var flags = reader.Flags(3);
        return new OrderLeg(key, (flags & 1) != 0) { StartFrom = (flags & 2) != 0 ? PointWire.ReadOrder(ref reader) : null };
    }

    private static KnownCounts ReadKnown(ref WireReader reader) => new(
        reader.Immutable(1, static (ref WireReader r) => r.String()),
        StatisticsWire.ReadCounts(ref reader), StatisticsWire.ReadCounts(ref reader));

    private static void WriteExamples(WireWriter writer, ExampleLeg leg)
    {
        writer.String(leg.Vector);
        writer.Byte((byte)leg.Strategy);
        writer.Bool(leg.Target is not null);
        if (leg.Target is not null)
            WriteExample(writer, leg.Target);
        WriteSide(writer, leg.Positive);
        WriteSide(writer, leg.Negative);
        WriteStatistics(writer, leg.Statistics);
    }

    private static void WriteSide(WireWriter writer, ImmutableArray<ExampleVector> side)
    {
        var examples = side.IsDefault ? [] : side.AsSpan();
        writer.Count(examples.Length);
        foreach (var example in examples)
            WriteExample(writer, example);
    }

    private static ExampleLeg ReadExamples(ref WireReader reader) => new(reader.String(), reader.Enumerated<ExampleStrategy>())
    {
        Target = reader.Bool() ? ReadExample(ref reader) : null,
        Positive = reader.Immutable(3, ReadExample),
        Negative = reader.Immutable(3, ReadExample),
        Statistics = ReadStatistics(ref reader),
    };

    private static void WriteExample(WireWriter writer, ExampleVector example)
    {
        writer.Signed(example.Rows);
        writer.UInts(example.Indices.Span);
        writer.Floats(example.Values.Span);
    }

    private static ExampleVector ReadExample(ref WireReader reader)
    {
        var rows = reader.Int();
        var indices = reader.UInts();
        return new ExampleVector(reader.Floats(), rows, indices);
    }

    private static void WriteStatistics(WireWriter writer, SparseStatistics? statistics)
    {
        writer.Bool(statistics is not null);
        if (statistics is not null)
            StatisticsWire.WriteSparse(writer, statistics);
    }

    private static SparseStatistics? ReadStatistics(ref WireReader reader) =>
        reader.Bool() ? StatisticsWire.ReadSparse(ref reader) : null;

    private static ImmutableArray<T> Frozen<T>(T[] values) =>
        ImmutableCollectionsMarshal.AsImmutableArray(values);
}
