using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Granary.Collections.Searching;
using Granary.Index.Search;

namespace Granary.Collections.Wire;

/// <summary>Statistics for scores over all partitions: asking for them, and the answers.</summary>
public static class StatisticsWire
{
    /// <summary>A request as a message.</summary>
    public static byte[] Encode(StatisticsRequest request) => WireMessage.Encode(WireKind.StatisticsRequest, request, Write);

    /// <summary>The request of a message.</summary>
    public static StatisticsRequest DecodeRequest(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.StatisticsRequest, message, ReadRequest);

    /// <summary>An answer as a message.</summary>
    public static byte[] Encode(StatisticsAnswer answer) => WireMessage.Encode(WireKind.StatisticsAnswer, answer, Write);

    /// <summary>The answer of a message.</summary>
    public static StatisticsAnswer DecodeAnswer(ReadOnlyMemory<byte> message) =>
        WireMessage.Decode(WireKind.StatisticsAnswer, message, ReadAnswer);

    /// <summary>Writes a request.</summary>
    public static void Write(WireWriter writer, StatisticsRequest request)
    {
        var texts = request.Texts.IsDefault ? [] : request.Texts.AsSpan();
        writer.Count(texts.Length);
        foreach (var (field, text) in texts)
        {
            writer.String(field);
            writer.String(text);
        }

        var sparse = request.Sparse.IsDefault ? [] : request.Sparse.AsSpan();
        writer.Count(sparse.Length);
        foreach (var (vector, indices) in sparse)
        {
            writer.String(vector);
            writer.UInts(indices.IsDefault ? [] : indices.AsSpan());
        }
    }

    /// <summary>Reads a request.</summary>
    public static StatisticsRequest ReadRequest(ref WireReader reader) => new(
        reader.Immutable(2, static (ref WireReader r) => (r.String(), r.String())),
        reader.Immutable(2, static (ref WireReader r) => (r.String(), ImmutableCollectionsMarshal.AsImmutableArray(r.UInts()))));

    /// <summary>Writes an answer.</summary>
    public static void Write(WireWriter writer, StatisticsAnswer answer)
    {
        var texts = answer.Texts.IsDefault ? [] : answer.Texts.AsSpan();
        writer.Count(texts.Length);
        foreach (var text in texts)
            WriteText(writer, text);
        var sparse = answer.Sparse.IsDefault ? [] : answer.Sparse.AsSpan();
        writer.Count(sparse.Length);
        foreach (var vector in sparse)
            WriteSparse(writer, vector);
    }

    /// <summary>Reads an answer.</summary>
    public static StatisticsAnswer ReadAnswer(ref WireReader reader) =>
        new(reader.Immutable(3, ReadText), reader.Immutable(2, ReadSparse));

    /// <summary>Writes statistics of a text field.</summary>
    public static void WriteText(WireWriter writer, TextStatistics statistics)
    {
        writer.Signed(statistics.Documents);
        writer.Signed(statistics.TotalLength);
        writer.Count(statistics.Frequencies.Count);
        foreach (var (term, count) in statistics.Frequencies)
        {
            writer.String(term);
            writer.Signed(count);
        }
    }

    /// <summary>Reads statistics of a text field.</summary>
    public static TextStatistics ReadText(ref WireReader reader)
    {
        var documents = reader.Signed();
        var length = reader.Signed();
        var frequencies = ImmutableDictionary.CreateBuilder<string, long>();
        for (var left = reader.Count(2); left > 0; left--)
        {
            var term = reader.String();
            if (!frequencies.TryAdd(term, reader.Signed()))
                throw reader.Damaged($"the term '{term}' twice");
        }

        return new TextStatistics(documents, length, frequencies.ToImmutable());
    }

    /// <summary>Writes the counts of a query's terms.</summary>
    public static void WriteCounts(WireWriter writer, TermCounts counts)
    {
        writer.Signed(counts.Documents);
        writer.Signed(counts.TotalLength);
        var frequencies = counts.Frequencies.IsDefault ? [] : counts.Frequencies.AsSpan();
        writer.Count(frequencies.Length);
        foreach (var frequency in frequencies)
            writer.Signed(frequency);
    }

    /// <summary>Reads the counts of a query's terms.</summary>
    public static TermCounts ReadCounts(ref WireReader reader) => new(
        reader.Signed(), reader.Signed(), reader.Immutable(1, static (ref WireReader r) => r.Signed()));

    /// <summary>Writes statistics of a sparse field.</summary>
    public static void WriteSparse(WireWriter writer, SparseStatistics statistics)
    {
        writer.Signed(statistics.Documents);
        writer.Count(statistics.Frequencies.Count);
        foreach (var (dimension, count) in statistics.Frequencies)
        {
            writer.Unsigned(dimension);
            writer.Signed(count);
        }
    }

    /// <summary>Reads statistics of a sparse field.</summary>
    public static SparseStatistics ReadSparse(ref WireReader reader)
    {
        var documents = reader.Signed();
        var frequencies = ImmutableDictionary.CreateBuilder<uint, long>();
        for (var left = reader.Count(2); left > 0; left--)
        {
            var dimension = reader.Unsigned();
            if (dimension > uint.MaxValue || !frequencies.TryAdd((uint)dimension, reader.Signed()))
                throw reader.Damaged($"the dimension {dimension} twice or beyond 32 bits");
        }

        return new SparseStatistics(documents, frequencies.ToImmutable());
    }
}
