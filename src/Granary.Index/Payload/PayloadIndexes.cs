using System.Diagnostics.CodeAnalysis;
using Granary.Index.Filters;
using Granary.Index.Payload.Fields;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Index.Payload;

/// <summary>The payload indexes of a partition. One thread writes; any number read without locks.</summary>
public sealed partial class PayloadIndexes
{
    private FieldIndex[] _indexes = [];

    /// <summary>The indexes there are.</summary>
    public IReadOnlyList<PayloadIndexSchema> Schemas => [.. Volatile.Read(ref _indexes).Select(static i => i.Schema)];

    /// <summary>Slots each index covers, by path; old versions that are not freed yet among them.</summary>
    public IReadOnlyDictionary<string, long> PointCounts =>
        Volatile.Read(ref _indexes).ToDictionary(static i => i.Schema.Path, static i => (long)i.Points.Count);

    /// <summary>Adds an index (replacing one over the same path) on existing payloads; it is published once it is whole.</summary>
    /// <param name="schema">The index.</param>
    /// <param name="store">The payloads.</param>
    /// <param name="slots">Every slot whose payload is not freed, old versions included: readers may still see them.</param>
    /// <exception cref="GranaryException">The path or the analyser's settings are wrong.</exception>
    public void Create(PayloadIndexSchema schema, PayloadStore store, IEnumerable<int> slots)
    {
        var index = Make(schema);
        index.BeginBuild();
        foreach (var slot in slots)
            index.Add(slot, store.Get(slot));
        index.EndBuild();
        Volatile.Write(ref _indexes, [.. _indexes.Where(i => !i.Path.Equals(index.Path)), index]);
    }

    /// <summary>Removes the index over a path. Readers that have it keep it.</summary>
    public bool Drop(string path)
    {
        var parsed = JsonPath.Parse(path);
        var left = _indexes.Where(i => !i.Path.Equals(parsed)).ToArray();
        if (left.Length == _indexes.Length)
            return false;
        Volatile.Write(ref _indexes, left);
        return true;
    }

    /// <summary>Indexes a slot, before it is published.</summary>
    public void Add(int slot, ReadOnlySpan<byte> json)
    {
        foreach (var index in _indexes)
            index.Add(slot, json);
    }

    /// <summary>Removes a slot, once no reader can see it; the payload is the one it was added with.</summary>
    public void Remove(int slot, ReadOnlySpan<byte> json)
    {
        foreach (var index in _indexes)
            index.Remove(slot, json);
    }

    /// <summary>Slots in the order of an indexed value, lazily; a slot with several values comes several times.</summary>
    /// <param name="path">A path with an integer (with range), float or datetime index.</param>
    /// <param name="descending">Largest first.</param>
    /// <param name="from">Starts at this value, inclusive; null for the first.</param>
    /// <param name="entries">The slots and values; invisible slots are among them.</param>
    public bool TryOrder(string path, bool descending, OrderValue? from, [NotNullWhen(true)] out IEnumerable<OrderedSlot>? entries)
    {
        entries = Find(path) is { } index && (index.Schema.Type != PayloadIndexType.Integer || index.Schema.Range)
            ? index.Order(descending, from) : null;
        return entries is not null;
    }

    /// <summary>
    /// The distinct values of a keyword, integer, bool or uuid index, each with its slots (ascending; invisible ones among them).
    /// </summary>
    public bool TryFacet(string path, [NotNullWhen(true)] out IEnumerable<FacetEntry>? entries)
    {
        entries = Find(path)?.Facet();
        return entries is not null;
    }

    /// <summary>The analyser of the text index over a path.</summary>
    internal ITextAnalyzer? FindAnalyzer(JsonPath path) => (Find(path) as TextIndex)?.Analyzer;

    /// <summary>What an index over the path knows of a condition.</summary>
    internal IndexMatch? Find(JsonPath path, Condition condition, ValueTest test) => Find(path)?.Find(condition, test);

    private static FieldIndex Make(PayloadIndexSchema schema) => schema.Type switch
    {
        PayloadIndexType.Keyword => new KeywordIndex(schema),
        PayloadIndexType.Integer => new IntegerIndex(schema),
        PayloadIndexType.Float => new FloatIndex(schema),
        PayloadIndexType.Bool => new BoolIndex(schema),
        PayloadIndexType.Datetime => new DatetimeIndex(schema),
        PayloadIndexType.Uuid => new UuidIndex(schema),
        PayloadIndexType.Geo => new GeoIndex(schema),
        PayloadIndexType.Text => new TextIndex(schema),
        _ => throw GranaryException.BadInput($"Payload index type {schema.Type} is unknown."),
    };

    private FieldIndex? Find(string path) => JsonPath.TryParse(path, out var parsed) ? Find(parsed) : null;

    private FieldIndex? Find(JsonPath path) => Array.Find(Volatile.Read(ref _indexes), i => i.Path.Equals(path));
}
