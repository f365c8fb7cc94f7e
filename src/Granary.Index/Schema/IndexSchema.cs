using System.Collections.Immutable;

namespace Granary.Index;

/// <summary>Settings of the HNSW graph (Malkov and Yashunin, 2016, arXiv:1603.09320).</summary>
public sealed record HnswSettings
{
    /// <summary>The largest <see cref="M"/> allowed.</summary>
    public const int MaxM = 1_024;

    /// <summary>The largest <see cref="EfConstruct"/> and <see cref="Ef"/> allowed.</summary>
    public const int MaxEf = 65_536;

    /// <summary>Links a node keeps on each upper level; level 0 keeps twice as many. 0 means no graph: every search is exact.</summary>
    public int M { get; init; } = 16;

    /// <summary>Candidates kept while a node is linked.</summary>
    public int EfConstruct { get; init; } = 200;

    /// <summary>Candidates kept while searching, when the query names none; 0 chooses from k.</summary>
    public int Ef { get; init; }

    /// <summary>Filters that match at most this many points are answered by comparing them all; above it whichever costs less.</summary>
    public int FullScanThreshold { get; init; } = 2_000;
}

/// <summary>How a dense field's originals are kept beside the int8 codes.</summary>
public enum VectorStorage : byte
{
    /// <summary>float32 originals and int8 codes: the graph is walked on the codes, the best are rescored.</summary>
    Float32WithCodes = 0,

    /// <summary>float32 originals only.</summary>
    Float32 = 1,

    /// <summary>
    /// int8 codes only: they are what is searched, compared again and returned, decoded. A quarter of the bytes; scores are those of
    /// the decoded vectors.
    /// </summary>
    Int8 = 2,
}

/// <summary>A named dense vector of a collection.</summary>
/// <param name="Name">The vector's name; empty for the unnamed default vector.</param>
/// <param name="Size">Dimensions, 1 to 65,535.</param>
/// <param name="Distance">The comparison.</param>
public sealed record DenseVectorSchema(string Name, int Size, Distance Distance)
{
    /// <summary>The largest size allowed.</summary>
    public const int MaxSize = 65_535;

    /// <summary>Graph settings.</summary>
    public HnswSettings Hnsw { get; init; } = new();

    /// <summary>What is stored.</summary>
    public VectorStorage Storage { get; init; } = VectorStorage.Float32WithCodes;

    /// <summary>
    /// Whether the float32 originals are served from the mapped file of a checkpoint, where the storage has one, and only those that came
    /// since are in memory; codes and graph are in memory either way.
    /// </summary>
    public bool OnDisk { get; init; }

    /// <summary>Whether a point holds a matrix of such vectors, compared by MaxSim (ColBERT, arXiv:2004.12832); searched exactly.</summary>
    public bool MultiVector { get; init; }
}

/// <summary>A named sparse vector of a collection, compared by dot product.</summary>
/// <param name="Name">The vector's name.</param>
/// <param name="Idf">Whether query weights are multiplied by ln((N - df + 0.5) / (df + 0.5) + 1).</param>
public sealed record SparseVectorSchema(string Name, bool Idf);

/// <summary>A text field: a payload path whose strings are analysed and ranked with BM25.</summary>
/// <param name="Name">The name queries use; it shares one namespace with the vectors' names.</param>
/// <param name="Path">The payload path; arrays of strings are indexed as one document.</param>
public sealed record TextFieldSchema(string Name, string Path)
{
    /// <summary>The largest <see cref="K1"/>.</summary>
    public const float MaxK1 = 1000;

    /// <summary>BM25's term-frequency saturation; from 0 to <see cref="MaxK1"/>.</summary>
    public float K1 { get; init; } = 1.2f;

    /// <summary>BM25's length normalisation; from 0 to 1.</summary>
    public float B { get; init; } = 0.75f;

    /// <summary>How text becomes terms.</summary>
    public AnalyzerSettings Analyzer { get; init; } = new();
}

/// <summary>How text becomes terms. Part of the storage format: the version names the rules.</summary>
public sealed record AnalyzerSettings
{
    /// <summary>Tokenizer: <c>word</c> (Unicode word breaks, UAX 29), <c>whitespace</c>, <c>prefix</c>, <c>multilingual</c>.</summary>
    public string Tokenizer { get; init; } = "word";

    /// <summary>Language of the stop words and the stemmer; <c>none</c> for neither.</summary>
    public string Language { get; init; } = "english";

    /// <summary>Whether terms are lower-cased.</summary>
    public bool Lowercase { get; init; } = true;

    /// <summary>Whether diacritics are folded to ASCII where Unicode decomposes them.</summary>
    public bool AsciiFolding { get; init; } = true;

    /// <summary>Whether the language's Snowball stemmer is applied.</summary>
    public bool Stem { get; init; } = true;

    /// <summary>The stemmer's language where it is not <see cref="Language"/>; null for the same.</summary>
    public string? StemmerLanguage { get; init; }

    /// <summary>Stop words; null for the language's own list, empty for none.</summary>
    public ImmutableArray<string>? StopWords { get; init; }

    /// <summary>Terms shorter than this (in characters, before stemming) are dropped.</summary>
    public int? MinTokenLength { get; init; }

    /// <summary>Terms longer than this are dropped.</summary>
    public int? MaxTokenLength { get; init; }

    /// <summary>The version of the analysis rules.</summary>
    public int Version { get; init; } = 1;
}

/// <summary>The type of a payload index.</summary>
public enum PayloadIndexType : byte
{
    /// <summary>Exact strings.</summary>
    Keyword = 1,

    /// <summary>64-bit integers.</summary>
    Integer = 2,

    /// <summary>64-bit floats.</summary>
    Float = 3,

    /// <summary>Booleans.</summary>
    Bool = 4,

    /// <summary>RFC 3339 instants, microseconds.</summary>
    Datetime = 5,

    /// <summary>UUID strings.</summary>
    Uuid = 6,

    /// <summary>Points on the sphere, <c>{"lon", "lat"}</c>.</summary>
    Geo = 7,

    /// <summary>Full text for <c>match: {text}</c> filters.</summary>
    Text = 8,
}

/// <summary>A payload index.</summary>
/// <param name="Path">The payload path it covers.</param>
/// <param name="Type">What it holds.</param>
public sealed record PayloadIndexSchema(string Path, PayloadIndexType Type)
{
    /// <summary>For <see cref="PayloadIndexType.Text"/>: how text becomes tokens.</summary>
    public AnalyzerSettings? Analyzer { get; init; }

    /// <summary>For <see cref="PayloadIndexType.Text"/>: whether positions are kept for phrase matching.</summary>
    public bool Phrase { get; init; }

    /// <summary>For <see cref="PayloadIndexType.Integer"/>: whether equality is answered.</summary>
    public bool Lookup { get; init; } = true;

    /// <summary>For <see cref="PayloadIndexType.Integer"/>: whether ranges are answered.</summary>
    public bool Range { get; init; } = true;

    /// <summary>
    /// The parameters object exactly as the caller gave it (UTF-8 JSON text), for showing again; null when only a type name was given.
    /// </summary>
    public string? Parameters { get; init; }
}

/// <summary>What a partition index holds. Immutable; a change is a new schema applied by a logged operation.</summary>
public sealed record IndexSchema
{
    /// <summary>Dense vectors.</summary>
    public ImmutableArray<DenseVectorSchema> Dense { get; init; } = [];

    /// <summary>Sparse vectors.</summary>
    public ImmutableArray<SparseVectorSchema> Sparse { get; init; } = [];

    /// <summary>Text fields.</summary>
    public ImmutableArray<TextFieldSchema> Text { get; init; } = [];

    /// <summary>Payload indexes.</summary>
    public ImmutableArray<PayloadIndexSchema> PayloadIndexes { get; init; } = [];

    /// <summary>The dense vector of that name, or null.</summary>
    public DenseVectorSchema? FindDense(string name) => Dense.FirstOrDefault(v => v.Name == name);

    /// <summary>The sparse vector of that name, or null.</summary>
    public SparseVectorSchema? FindSparse(string name) => Sparse.FirstOrDefault(v => v.Name == name);

    /// <summary>The text field of that name, or null.</summary>
    public TextFieldSchema? FindText(string name) => Text.FirstOrDefault(v => v.Name == name);

    /// <summary>The payload index over that path, or null.</summary>
    public PayloadIndexSchema? FindPayloadIndex(string path) => PayloadIndexes.FirstOrDefault(v => v.Path == path);
}
