using System.Buffers;
using System.Collections.Concurrent;
using Granary.Index.Filters;
using Granary.Index.Text;

namespace Granary.Index.Payload.Fields;

/// <summary>An index from strings to slots.</summary>
internal abstract class TermIndex(PayloadIndexSchema schema) : FieldIndex(schema)
{
    protected ConcurrentDictionary<string, SlotSet> Terms { get; } = new(1, 31, StringComparer.Ordinal);

    public override void Save(IndexImage.Writer writer)
    {
        // Terms may come meanwhile, with slots that the image does not hold.
        var terms = Terms.ToArray();
        Array.Sort(terms, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        writer.Write(terms.Length);
        foreach (var (term, slots) in terms)
        {
            writer.Write(term);
            writer.WriteSlots(slots);
        }
    }

    public override void Load(IndexImage.Reader reader)
    {
        var count = reader.ReadInt32();
        for (var i = 0; i < count; i++)
        {
            var term = reader.ReadString();
            var slots = new SlotSet();
            reader.ReadSlots(slots);
            if (slots.Count > 0)
                Terms[term] = slots;
        }
    }

    protected void Change(string term, int slot, bool add)
    {
        if (add)
            Terms.GetOrAdd(term, static _ => new SlotSet()).Add(slot);
        else if (Terms.TryGetValue(term, out var slots) && slots.Remove(slot) && slots.Count == 0)
            Terms.TryRemove(term, out _);
    }

    protected IndexMatch Of(string term, bool exact = true) =>
        Terms.TryGetValue(term, out var slots) ? new SetMatch(slots) { IsExact = exact } : new UnionMatch([]) { IsExact = true };
}

/// <summary>Exact strings.</summary>
internal sealed class KeywordIndex(PayloadIndexSchema schema) : TermIndex(schema)
{
    private const int FewTerms = 10_000;

    public override IndexMatch? Find(Condition condition, ValueTest test)
    {
        switch (condition)
        {
            case MatchAnyCondition { Values: [{ Kind: MatchValueKind.Keyword } only] }:
                return Of(only.Text!);
            case MatchAnyCondition c when c.Values.All(static v => v.Kind == MatchValueKind.Keyword):
                return Union(c.Values.Select(static v => v.Text!).Distinct(StringComparer.Ordinal));
            case MatchTextCondition { Mode: TextMatchMode.Prefix } c:
                return Union(Terms.Keys.Where(t => t.StartsWith(c.Text, StringComparison.Ordinal)));
            case MatchExceptCondition c when Terms.Count <= FewTerms && c.Values.All(static v => v.Kind == MatchValueKind.Keyword):
                // Whatever is no string is outside the set.
                var set = c.Values.Select(static v => v.Text!).ToHashSet(StringComparer.Ordinal);
                List<IndexMatch> parts = [
                    .. Terms.Where(t => !set.Contains(t.Key)).Select(static t => new SetMatch(t.Value)), new SetMatch(Foreign)];
                return new UnionMatch(parts) { IsExact = true };
            default:
                return null;
        }
    }

    public override IEnumerable<FacetEntry> Facet() =>
        Terms.Select(static t => new FacetEntry(MatchValue.Of(t.Key), t.Value.Count, t.Value.Slots()));

    protected override bool Change(int slot, ReadOnlySpan<byte> value, bool add, int number)
    {
        if (!JsonScan.IsString(value))
            return false;
        Change(JsonScan.GetString(value), slot, add);
        return true;
    }

    private UnionMatch Union(IEnumerable<string> terms) => new([.. terms.Select(t => Of(t))]) { IsExact = true };
}

/// <summary>Tokens of strings. Phrases are looked for among the points that hold all their tokens, in the payload itself.</summary>
internal sealed class TextIndex : TermIndex
{
    // Once one point has held several strings, tokens may come from different ones: candidates must be checked.
    private volatile bool _several;

    public TextIndex(PayloadIndexSchema schema) : base(schema) =>
        Analyzer = schema.Analyzer is { } settings ? QdrantAnalyzer.Create(settings) : QdrantAnalyzer.IndexDefault;

    public ITextAnalyzer Analyzer { get; }

    public override IndexMatch? Find(Condition condition, ValueTest test)
    {
        if (condition is not MatchTextCondition { Mode: not TextMatchMode.Prefix } text || test is not TokenTest { Tokens: var tokens })
            return null;
        if (tokens.Count == 0)
            return new UnionMatch([]) { IsExact = true };
        var parts = tokens.Distinct(StringComparer.Ordinal).Select(t => Of(t, text.Mode != TextMatchMode.Phrase)).ToList();
        if (parts.Count == 1)
            return parts[0];
        return text.Mode == TextMatchMode.Any
            ? new UnionMatch(parts) { IsExact = true }
            : new CommonMatch(parts) { IsExact = text.Mode == TextMatchMode.All && !_several };
    }

    public override void Save(IndexImage.Writer writer)
    {
        writer.Write(_several);
        base.Save(writer);
    }

    public override void Load(IndexImage.Reader reader)
    {
        _several = reader.ReadBoolean();
        base.Load(reader);
    }

    protected override bool Change(int slot, ReadOnlySpan<byte> value, bool add, int number)
    {
        if (!JsonScan.IsString(value))
            return false;
        if (add && number > 0)
            _several = true;
        var tokens = new List<string>();
        Analyzer.Analyze(JsonScan.GetString(value), tokens);
        foreach (var token in tokens)
            Change(token, slot, add);
        return true;
    }

    /// <summary>The slots that several postings have in common.</summary>
    private sealed class CommonMatch(List<IndexMatch> parts) : IndexMatch
    {
        private readonly IndexMatch _rarest = parts.MinBy(static p => p.Count)!;

        public override long Count => _rarest.Count;

        public override bool CanTest => true;

        public override bool Test(int slot)
        {
            foreach (var part in parts)
            {
                if (!part.CanTest || !part.Test(slot))
                    return false;
            }

            return true;
        }

        public override void Fill(SlotBits bits)
        {
            var words = ArrayPool<ulong>.Shared.Rent(bits.Words.Length);
            Array.Clear(words);
            var rarest = new SlotBits(words, bits.Bound);
            _rarest.Fill(rarest);
            foreach (var slot in rarest.ToArray())
            {
                if (Test(slot))
                    bits.Set(slot);
            }

            ArrayPool<ulong>.Shared.Return(words);
        }
    }
}

/// <summary>Booleans.</summary>
internal sealed class BoolIndex(PayloadIndexSchema schema) : FieldIndex(schema)
{
    private readonly SlotSet _true = new();
    private readonly SlotSet _false = new();

    public override IndexMatch? Find(Condition condition, ValueTest test) =>
        condition is MatchAnyCondition { Values: [{ Kind: MatchValueKind.Bool } value] }
            ? new SetMatch(value.Boolean ? _true : _false) { IsExact = true }
            : null;

    public override IEnumerable<FacetEntry> Facet()
    {
        if (_false.Count > 0)
            yield return new FacetEntry(MatchValue.Of(false), _false.Count, _false.Slots());
        if (_true.Count > 0)
            yield return new FacetEntry(MatchValue.Of(true), _true.Count, _true.Slots());
    }

    public override void Save(IndexImage.Writer writer)
    {
        writer.WriteSlots(_false);
        writer.WriteSlots(_true);
    }

    public override void Load(IndexImage.Reader reader)
    {
        reader.ReadSlots(_false);
        reader.ReadSlots(_true);
    }

    protected override bool Change(int slot, ReadOnlySpan<byte> value, bool add, int number)
    {
        if (value[0] is not ((byte)'t' or (byte)'f'))
            return false;
        var slots = value[0] == 't' ? _true : _false;
        if (add)
            slots.Add(slot);
        else
            slots.Remove(slot);
        return true;
    }
}
