using System.Globalization;
using System.Text;
using System.Text.Json;
using Granary.Index.Text;

namespace Granary.Index.Sparse;

/// <summary>A sparse vector: dimensions ascending, each with its value.</summary>
/// <param name="Indices">The dimensions.</param>
/// <param name="Values">The values.</param>
public readonly record struct SparseValues(uint[] Indices, float[] Values);

/// <summary>
/// Qdrant's <c>qdrant/bm25</c>: text to sparse vectors with its tokens, hashing and weights. A dimension is the absolute value of
/// a token's 32-bit MurmurHash3 read as a signed number. Thread-safe.
/// </summary>
public sealed class Bm25Document
{
    private const string Prefix = "Invalid BM25 config: ";
    private readonly double _k;
    private readonly double _b;
    private readonly double _averageLength;
    private readonly QdrantAnalyzer _analyzer;

    private Bm25Document(double k, double b, double averageLength, QdrantAnalyzer analyzer)
    {
        _k = k;
        _b = b;
        _averageLength = averageLength;
        _analyzer = analyzer;
    }

    /// <summary>The embedder of the default options.</summary>
    public static Bm25Document Default { get; } = Create(null);

    /// <summary>Whether a model name means BM25 (<c>qdrant/bm25</c> or <c>bm25</c>, in any case).</summary>
    public static bool IsModel(string model) =>
        model.Equals("qdrant/bm25", StringComparison.OrdinalIgnoreCase) || model.Equals("bm25", StringComparison.OrdinalIgnoreCase);

    /// <summary>Makes the embedder of an <c>options</c> object (<c>k</c>, <c>b</c>, <c>avg_len</c> and those of the analysis); null for
    /// the defaults.</summary>
    /// <exception cref="GranaryException">An option has a wrong type or value.</exception>
    public static Bm25Document Create(JsonElement? options)
    {
        double k = 1.2, b = 0.75, averageLength = 256;
        var settings = new AnalyzerSettings { AsciiFolding = false };
        if (options is { ValueKind: not JsonValueKind.Null and not JsonValueKind.Undefined } given)
        {
            settings = QdrantOptions.Parse(given, "english", Prefix);
            k = QdrantOptions.OptionalNumber(given, "k", Prefix) ?? k;
            b = QdrantOptions.OptionalNumber(given, "b", Prefix) ?? b;
            averageLength = QdrantOptions.OptionalNumber(given, "avg_len", Prefix) ?? averageLength;
        }

        if (!double.IsFinite(k) || k < 0)
            throw GranaryException.BadInput($"BM25 k1 must be finite and >= 0, got {Show(k)}");
        if (b is not (>= 0 and <= 1))
            throw GranaryException.BadInput($"BM25 b must be finite and in [0.0, 1.0], got {Show(b)}");
        if (!double.IsFinite(averageLength) || averageLength <= 0)
            throw GranaryException.BadInput($"BM25 avg_doc_len must be finite and > 0, got {Show(averageLength)}");
        return new Bm25Document(k, b, averageLength, QdrantAnalyzer.Create(settings));
    }

    /// <summary>The stored side: each distinct token's weight is n (k + 1) / (n + k (1 - b + b length / avg_len)).</summary>
    public SparseValues EmbedDocument(string text)
    {
        var sink = new CountingSink();
        _analyzer.Analyze(text, TextRole.Document, sink);
        var norm = 1.0 - _b + (_b * sink.Length / _averageLength);
        var weights = new SortedDictionary<uint, float>();
        foreach (var (token, n) in sink.Counts)
            weights[Dimension(token)] = (float)(n * (_k + 1.0) / Math.FusedMultiplyAdd(_k, norm, n));
        return new SparseValues([.. weights.Keys], [.. weights.Values]);
    }

    /// <summary>The query side: each distinct token weighs 1.</summary>
    public SparseValues EmbedQuery(string text)
    {
        var sink = new CountingSink();
        _analyzer.Analyze(text, TextRole.Query, sink);
        uint[] indices = [.. sink.Counts.Keys.Select(token => Dimension(token)).Distinct().Order()];
        var values = new float[indices.Length];
        Array.Fill(values, 1f);
        return new SparseValues(indices, values);
    }

    /// <summary>The dimension of a token.</summary>
    public static uint Dimension(ReadOnlySpan<char> token)
    {
        var size = Encoding.UTF8.GetMaxByteCount(token.Length);
        var bytes = size <= 512 ? stackalloc byte[512] : new byte[size];
        var hash = (int)Murmur3.Hash(bytes[..Encoding.UTF8.GetBytes(token, bytes)]);
        return hash < 0 ? (uint)-(long)hash : (uint)hash;
    }

    private static string Show(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class CountingSink : TermSink
    {
        private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

        public CountingSink() => _lookup = Counts.GetAlternateLookup<ReadOnlySpan<char>>();

        public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

        public int Length { get; private set; }

        public override void Add(ReadOnlySpan<char> term)
        {
            Length++;
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_lookup, term, out _)++;
        }
    }
}
