using System.Collections.Immutable;
using Granary.Index.Memory;
using Granary.Index.Postings;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <summary>An inverted index over one text field, ranked with BM25. One thread writes; any number search, without locks.</summary>
public sealed partial class TextField
{
    // All terms of 30,000 descriptions of programs, laid out, take 7.8 bytes a posting. Twice that, so that terms asked for in turn do not
    // push each other out: with 6, long queries over 900,000 paragraphs took twice the time. Terms with a posting in every fourth group
    // take 65.
    private const long LeastLayoutBytes = 1 << 20;
    private const long LayoutBytesPerPosting = 16;

    private readonly ITextAnalyzer _analyzer;
    private readonly RowTable<TextRow> _rows;
    private readonly TermTable _terms = new();
    private readonly List<Term?> _byNumber = [];
    private readonly Stack<int> _freeNumbers = new();
    private readonly DocumentSink _sink;
    private readonly ImpactLayouts _layouts;
    private long _postings;
    private long _documents;
    private long _totalLength;

    /// <summary>Makes an empty index.</summary>
    /// <exception cref="GranaryException">The analyser's language or tokenizer is unknown.</exception>
    public TextField(TextFieldSchema schema, EpochClock epochs)
    {
        // Removed postings are read until they are swept, and swept lists until the collector takes them: epochs are not needed.
        _ = epochs;
        Schema = schema;
        _analyzer = Analyzer.Create(schema.Analyzer);
        _rows = new RowTable<TextRow>(schema.Name);
        _sink = new DocumentSink(this);
        _layouts = new ImpactLayouts(() => LayoutLimit);
    }

    /// <summary>The field.</summary>
    public TextFieldSchema Schema { get; }

    /// <summary>Documents counted in the statistics.</summary>
    public long DocumentCount => Volatile.Read(ref _documents);

    /// <summary>Terms over all counted documents.</summary>
    public long TotalLength => Volatile.Read(ref _totalLength);

    /// <summary>One more than the largest document number given out.</summary>
    public int DocumentCapacity => _rows.Count;

    /// <summary>Bytes held, roughly. Called by the writing thread.</summary>
    public long Bytes =>
        _byNumber.Sum(term => term == null ? 0 : 120 + (2L * term.Text.Length) + term.Postings.Bytes + term.ImpactBytes)
        + (100L * _rows.Alive) + _sink.MemoBytes + _terms.Bytes + (_remake?.Bytes ?? 0);

    /// <summary>Bytes of the layouts that searches made.</summary>
    internal long LayoutBytes => _layouts.Bytes;

    /// <summary>How many bytes layouts may take: so much for each posting, and a little for a small field.</summary>
    internal long LayoutLimit => LeastLayoutBytes + (LayoutBytesPerPosting * Volatile.Read(ref _postings));

    /// <summary>Indexes texts as one document and counts it. Returns its number, or -1 when no term is left.</summary>
    public int Add(IReadOnlyList<string> texts, int slot)
    {
        _sink.Clear();
        foreach (var text in texts)
            _analyzer.Analyze(text, TextRole.Document, _sink);
        if (_sink.Length == 0)
            return -1;
        _sink.Touched.Sort((one, other) => one.Number.CompareTo(other.Number));

        // The row is readable before any posting names it.
        var doc = _rows.Add(slot, _sink.Length, new TextRow(PackTerms(_sink.Touched), false));
        foreach (var term in _sink.Touched)
        {
            term.Postings.Append(doc, (uint)term.Occurrences, NoBounds.Instance);
            term.Postings.Frequency++;
        }

        Volatile.Write(ref _postings, _postings + _sink.Touched.Count);

        Volatile.Write(ref _totalLength, _totalLength + _sink.Length);
        Volatile.Write(ref _documents, _documents + 1);
        _remake?.Add(doc, _sink.Touched);
        _sink.Clear();
        return doc;
    }

    /// <summary>Says that the document belongs to a newer slot now.</summary>
    public void Retarget(int doc, int slot)
    {
        if (doc < 0)
            return;
        _rows.SetSlot(doc, slot);
        _remake?.Retarget(doc, slot);
    }

    /// <summary>The newest slot of a document; -1 when it was removed.</summary>
    public int SlotOf(int doc) => _rows.SlotOf(doc);

    /// <summary>Takes the document out of the statistics (at the logical delete); it stays findable for older readers.</summary>
    public void Forget(int doc)
    {
        if (doc < 0 || _rows.SlotOf(doc) < 0)
            return;
        var row = _rows.ValueOf(doc);
        if (row.Forgotten)
            return;
        _rows.SetValue(doc, row with { Forgotten = true });
        foreach (var number in UnpackTerms(row.Terms))
            _byNumber[number]!.Postings.Frequency--;
        Volatile.Write(ref _totalLength, _totalLength - _rows.LengthOf(doc));
        Volatile.Write(ref _documents, _documents - 1);
        _remake?.Forget(doc);
    }

    /// <summary>Removes a document that no reader can see any more; one that was not forgotten is forgotten first.</summary>
    public void Remove(int doc)
    {
        if (doc < 0 || _rows.SlotOf(doc) < 0)
            return;
        Forget(doc);
        var row = _rows.ValueOf(doc);
        _rows.Remove(doc);
        foreach (var number in UnpackTerms(row.Terms))
            Kill(_byNumber[number]!);
    }

    /// <summary>Exact statistics for the terms of a query.</summary>
    public TextStatistics Statistics(string query)
    {
        var terms = new List<string>();
        _analyzer.AnalyzeQuery(query, terms);
        var frequencies = ImmutableDictionary.CreateBuilder<string, long>();
        foreach (var term in terms)
            frequencies[term] = _terms.Find(term)?.Postings.Frequency ?? 0;
        return new TextStatistics(DocumentCount, TotalLength, frequencies.ToImmutable());
    }

    private Term Intern(ReadOnlySpan<char> text)
    {
        if (_terms.Find(text) is { } known)
            return known;
        var number = _freeNumbers.TryPop(out var free) ? free : _byNumber.Count;
        var term = new Term(text.ToString(), number, Schema, _layouts);
        if (number == _byNumber.Count)
            _byNumber.Add(term);
        else
            _byNumber[number] = term;
        _terms.TryAdd(term);
        return term;
    }

    // One more of its documents is removed.
    private void Kill(Term term)
    {
        if (!term.Postings.Kill())
            return;
        var before = term.Postings.Count;
        term.Postings.Sweep(_rows, NoBounds.Instance);
        Volatile.Write(ref _postings, _postings - before + term.Postings.Count);
        if (term.Postings.Count == 0)
            Drop(term);
    }

    private void Drop(Term term)
    {
        _terms.Drop(term);
        _layouts.Forget(term.TakeImpacts());
        _byNumber[term.Number] = null;
        _freeNumbers.Push(term.Number);
    }

    private static byte[] PackTerms(List<Term> terms)
    {
        var size = 0;
        var before = 0;
        foreach (var term in terms)
        {
            size += Varint.Size((uint)(term.Number - before));
            before = term.Number;
        }

        var packed = new byte[size];
        var at = 0;
        before = 0;
        foreach (var term in terms)
        {
            at += Varint.Write((uint)(term.Number - before), packed.AsSpan(at));
            before = term.Number;
        }

        return packed;
    }

    private static IEnumerable<int> UnpackTerms(byte[] packed)
    {
        var number = 0;
        for (var at = 0; at < packed.Length;)
        {
            number += (int)Varint.Read(packed, ref at);
            yield return number;
        }
    }

    private sealed class DocumentSink(TextField field) : TermSink
    {
        private readonly TermMemo _memo = new();
        private Term? _last;

        public List<Term> Touched { get; } = [];

        public long MemoBytes => _memo.Bytes;

        public int Length { get; private set; }

        public void Clear()
        {
            foreach (var term in Touched)
                term.Occurrences = 0;
            Touched.Clear();
            Length = 0;
        }

        public override void Add(ReadOnlySpan<char> text)
        {
            _last = field.Intern(text);
            Count(_last);
        }

        internal override bool TryRepeat(ReadOnlySpan<char> token)
        {
            if (!_memo.TryGet(token, out var term))
                return false;
            if (term is not null)
                Count(term);
            return true;
        }

        internal override void Remember(ReadOnlySpan<char> token, bool isTerm) =>
            _memo.Set(token, isTerm ? _last : null, field._byNumber.Count);

        private void Count(Term term)
        {
            if (term.Occurrences++ == 0)
                Touched.Add(term);
            Length++;
        }
    }
}
