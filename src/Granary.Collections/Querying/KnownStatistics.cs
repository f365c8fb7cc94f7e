using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Granary.Index;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Collections.Querying;

/// <summary>
/// BM25 statistics of every partition as they were last heard of, term by term. Whoever searches with them has each partition compare its
/// part with what it has now, so that they need not be gathered first and no score is made with wrong ones: stale ones only cost a round.
/// </summary>
/// <param name="schema">The text fields.</param>
internal sealed class KnownStatistics(IndexSchema schema)
{
    /// <summary>So many terms of a field are kept; then it begins anew.</summary>
    private const int MostTerms = 65_536;

    /// <summary>How long statistics are gathered first, after some were found stale: there is writing going on.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<string, Field> _fields = new(StringComparer.Ordinal);

    /// <summary>What is known for a text, partition by partition, with the sum in each; null when something is not.</summary>
    /// <param name="leg">The field and the text.</param>
    /// <param name="corrected">Whether what was stale was corrected just now.</param>
    public KnownCounts[]? Find(TextLeg leg, bool corrected) =>
        _fields.TryGetValue(leg.Field, out var field) ? field.Find(leg.Text, corrected) : null;

    /// <summary>Keeps what every partition answered.</summary>
    public void Learn(string name, IReadOnlyList<TextStatistics> parts)
    {
        if (FieldOf(name) is { } field)
            field.Learn(parts);
    }

    /// <summary>Keeps what one partition answered that found its part stale.</summary>
    public void Correct(string name, int partition, TextStatistics own)
    {
        if (FieldOf(name) is { } field)
            field.Correct(partition, own);
    }

    private Field? FieldOf(string name)
    {
        if (_fields.TryGetValue(name, out var known))
            return known;
        return schema.FindText(name) is { } text ? _fields.GetOrAdd(name, new Field(Analyzer.Create(text.Analyzer))) : null;
    }

    private sealed class Field(ITextAnalyzer analyzer)
    {
        private readonly ConcurrentDictionary<string, long[]> _terms = new(StringComparer.Ordinal);
        private volatile (long Documents, long Length)[]? _totals;
        private long _stale;

        public KnownCounts[]? Find(string text, bool corrected)
        {
            if (_totals is not { } totals || (!corrected && Rests()))
                return null;
            var sink = new Sink(_terms.GetAlternateLookup<ReadOnlySpan<char>>());
            analyzer.Analyze(text, TextRole.Query, sink);
            if (sink.Lacks)
                return null;
            var all = new long[sink.Found.Count];
            var own = new KnownCounts[totals.Length];
            var (documents, length) = (0L, 0L);
            foreach (var part in totals)
            {
                documents += part.Documents;
                length += part.Length;
            }

            for (var i = 0; i < all.Length; i++)
            {
                foreach (var frequency in sink.Found[i])
                    all[i] += frequency;
            }

            ImmutableArray<string> terms = [.. sink.Terms];
            var sum = new TermCounts(documents, length, ImmutableCollectionsMarshal.AsImmutableArray(all));
            for (var p = 0; p < own.Length; p++)
            {
                var frequencies = new long[all.Length];
                for (var i = 0; i < frequencies.Length; i++)
                    frequencies[i] = sink.Found[i][p];
                var part = new TermCounts(
                    totals[p].Documents, totals[p].Length, ImmutableCollectionsMarshal.AsImmutableArray(frequencies));
                own[p] = new KnownCounts(terms, sum, part);
            }

            return own;
        }

        private bool Rests() => Volatile.Read(ref _stale) is var stale and not 0 && Stopwatch.GetElapsedTime(stale) < Rest;

        public void Learn(IReadOnlyList<TextStatistics> parts)
        {
            if (_terms.Count > MostTerms)
                _terms.Clear();
            _totals = [.. parts.Select(p => (p.Documents, p.TotalLength))];
            foreach (var term in parts.SelectMany(p => p.Frequencies.Keys))
                _terms[term] = [.. parts.Select(p => p.Frequencies.GetValueOrDefault(term))];
        }

        public void Correct(int partition, TextStatistics own)
        {
            Volatile.Write(ref _stale, Stopwatch.GetTimestamp());
            if (_totals is { } totals)
            {
                var changed = totals.ToArray();
                changed[partition] = (own.Documents, own.TotalLength);
                _totals = changed;
            }

            // Arrays are read by others and so replaced whole. Of two corrections at once one may be lost: it is found stale again.
            foreach (var (term, frequency) in own.Frequencies)
            {
                if (!_terms.TryGetValue(term, out var known))
                    continue;
                var changed = known.ToArray();
                changed[partition] = frequency;
                _terms[term] = changed;
            }
        }
    }

    private sealed class Sink(ConcurrentDictionary<string, long[]>.AlternateLookup<ReadOnlySpan<char>> terms) : TermSink
    {
        public List<string> Terms { get; } = [];

        public List<long[]> Found { get; } = [];

        public bool Lacks { get; private set; }

        public override void Add(ReadOnlySpan<char> term)
        {
            if (terms.TryGetValue(term, out var text, out var counts))
            {
                Terms.Add(text);
                Found.Add(counts);
            }
            else
            {
                Lacks = true;
            }
        }
    }
}
