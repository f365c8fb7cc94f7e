using System.Runtime.InteropServices;

namespace Granary.Index.Text;

/// <content>Queries as searches take them.</content>
public sealed partial class TextField
{
    /// <summary>
    /// A query's distinct terms that the field knows, and their weights: what a search needs, and scoring other documents after it. To be
    /// used again; not by several threads at a time.
    /// </summary>
    internal sealed class PreparedQuery : TermSink
    {
        private const int MostKept = 16_384;
        private const int MostIdle = 8;

        // Each reads some lines, and a core waits for some dozens at once.
        private const int Together = 32;
        private const int FewTerms = 32;

        private readonly int[] _hashes = new int[Together];
        private readonly Term?[] _guesses = new Term?[Together];
        private readonly Dictionary<Term, int> _places = [];
        private double[] _weights = new double[16];
        private ScoredDocuments _scored = new(0);
        private TextField _field = null!;

        [ThreadStatic]
        private static Stack<PreparedQuery>? _idle;

        /// <summary>Gives documents their scores.</summary>
        public TextScorer Scorer { get; set; }

        /// <summary>Documents from here on are not searched.</summary>
        public int End { get; private set; }

        public List<Term> Terms { get; } = [];

        public List<int> Occurrences { get; } = [];

        /// <summary>Where in the query each of the terms comes first.</summary>
        public List<int> FirstAt { get; } = [];

        /// <summary>How many documents hold each term of the query, unknown and repeated ones included.</summary>
        public List<long> Frequencies { get; } = [];

        /// <summary>Whether the field has no document with one of the query's terms.</summary>
        public bool IsPartlyUnknown { get; private set; }

        /// <summary>Terms of the query, unknown and repeated ones included.</summary>
        public int Length => Frequencies.Count;

        public double[] WeightsFor(int terms)
        {
            if (_weights.Length < terms)
                _weights = new double[terms * 2];
            return _weights;
        }

        /// <summary>Room for scoring so many documents; nothing is added yet.</summary>
        public ScoredDocuments Documents(int count)
        {
            if (_scored.Sums.Length < count)
                _scored = new ScoredDocuments(Math.Max(64, count * 2));
            _scored.Sums.AsSpan(0, count).Clear();
            _scored.Shared.AsSpan(0, count).Clear();
            return _scored;
        }

        /// <summary>One of this thread's; <see cref="Return"/> it.</summary>
        public static PreparedQuery Rent() => _idle is { } idle && idle.TryPop(out var known) ? known : new PreparedQuery();

        /// <summary>Gives it back to this thread.</summary>
        public void Return()
        {
            if (!Clear())
                return;
            var idle = _idle ??= new Stack<PreparedQuery>();
            if (idle.Count < MostIdle)
                idle.Push(this);
        }

        /// <summary>Begins a query of a field.</summary>
        public void Begin(TextField field, int end) => (_field, End) = (field, end);

        public override void Add(ReadOnlySpan<char> text) => Put(_field._terms.Find(text));

        /// <summary>Adds terms; what is read of one is waited for together with the same of the others.</summary>
        public void AddAll(ReadOnlySpan<string> terms)
        {
            for (var from = 0; from < terms.Length; from += Together)
                AddTogether(terms[from..Math.Min(from + Together, terms.Length)]);
        }

        private void AddTogether(ReadOnlySpan<string> terms)
        {
            var table = _field._terms;
            var hashes = _hashes.AsSpan(0, terms.Length);
            var guesses = _guesses.AsSpan(0, terms.Length);
            for (var i = 0; i < terms.Length; i++)
                table.Prefetch(hashes[i] = TermTable.HashOf(terms[i]));
            for (var i = 0; i < terms.Length; i++)
                (guesses[i] = table.Guess(hashes[i]))?.Prefetch();
            foreach (var term in guesses)
                term?.PrefetchParts();
            for (var i = 0; i < terms.Length; i++)
                Put(guesses[i] is { IsDropped: false } term && term.Text == terms[i] ? term : table.Find(terms[i], hashes[i]));
            guesses.Clear();
        }

        private void Put(Term? term)
        {
            Frequencies.Add(term?.Postings.Frequency ?? 0);
            if (term is null)
            {
                IsPartlyUnknown = true;
                return;
            }

            var place = PlaceOf(term);
            if (place >= 0)
            {
                Occurrences[place]++;
                return;
            }

            if (Terms.Count >= FewTerms)
                _places.Add(term, Terms.Count);
            Terms.Add(term);
            Occurrences.Add(1);
            FirstAt.Add(Frequencies.Count - 1);
        }

        /// <summary>Where the term is; -1 where it is new. A few are looked through, the places of those after them are kept.</summary>
        private int PlaceOf(Term term)
        {
            var terms = CollectionsMarshal.AsSpan(Terms);
            for (var i = 0; i < terms.Length && i < FewTerms; i++)
            {
                if (ReferenceEquals(terms[i], term))
                    return i;
            }

            return _places.TryGetValue(term, out var place) ? place : -1;
        }

        /// <summary>Forgets the query; false where it was so large that its memory is better not kept.</summary>
        public bool Clear()
        {
            _field = null!;
            Scorer = default;
            Terms.Clear();
            Occurrences.Clear();
            FirstAt.Clear();
            Frequencies.Clear();
            _places.Clear();
            IsPartlyUnknown = false;
            return Terms.Capacity <= MostKept && _scored.Sums.Length <= MostKept;
        }

        /// <summary>Documents that are being scored, in the order they were asked in.</summary>
        /// <param name="room">For how many.</param>
        public readonly struct ScoredDocuments(int room)
        {
            /// <summary>What the terms add to each.</summary>
            public double[] Sums { get; } = new double[room];

            /// <summary>How many terms it has.</summary>
            public int[] Shared { get; } = new int[room];

            /// <summary>Its length.</summary>
            public int[] Lengths { get; } = new int[room];

            /// <summary>Those found that have a term, and where.</summary>
            public (int At, int Place)[] Found { get; } = new (int, int)[room];

            /// <summary>Adds what a term adds.</summary>
            public void Add(int at, double contribution)
            {
                Sums[at] += contribution;
                Shared[at]++;
            }
        }
    }
}
