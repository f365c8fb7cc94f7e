using System.Runtime.InteropServices;
using Granary.Index.Memory;
using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <content>
/// Documents are numbered in the order they come, and numbers are not used again: bounds and layouts stand for all numbers ever given out,
/// so that a field whose documents are replaced grows, and its searches with it, until it is made anew. So is one whose documents are put
/// in an order found for them.
/// </content>
public sealed partial class TextField
{
    private Remake? _remake;

    /// <summary>This field being made anew; null where it is not.</summary>
    internal Remake? Remaking => _remake;

    /// <summary>Whether more than half of all numbers, and more than <paramref name="least"/>, stand for documents that are gone.</summary>
    internal bool IsSparse(int least) => _rows.Count - DocumentCount > Math.Max(DocumentCount, least);

    /// <summary>Begins to make it anew, unless that was begun. Called by the writing thread.</summary>
    internal Remake MakeAnew(EpochClock epochs) => _remake ??= new Remake(this, epochs);

    /// <summary>
    /// The same field with the counted documents alone, numbered without gaps in the same order, or in the one that was found
    /// (<see cref="Order"/>): its scores and statistics are bit-equal. It is made piece by piece by the writing thread, and no reader sees
    /// it before it is whole.
    /// </summary>
    /// <remarks>
    /// Documents come first, without their postings; then the postings, term after term. So at any time the new field has the postings of
    /// the terms below <see cref="_term"/>, and of that one those of documents up to <see cref="_upTo"/>. What is added or forgotten
    /// between two pieces is added to these, or taken out of them, at once; all else is seen when its piece is copied. Where there is an
    /// order, a term's postings are one piece, however many: they are sorted.
    /// </remarks>
    internal sealed class Remake
    {
        // What a term costs, in postings.
        private const int TermWork = 8;
        private readonly TextField _from;

        // By number in the old field that in the new one; -1 where the document is gone. As long as documents were looked at.
        private readonly List<int> _numbers;
        private readonly int[] _docs = new int[BlockCodec.Size];
        private readonly uint[] _frequencies = new uint[BlockCodec.Size];

        // Documents in the order they are looked at, before all others; none where that is the order of their numbers.
        private readonly int[] _order;

        // The postings of a term by number in the new field: that, and the frequency.
        private readonly List<ulong> _sorted = [];
        private int _placed;
        private int _term;
        private int _upTo = -1;

        public Remake(TextField from, EpochClock epochs)
        {
            _from = from;
            Field = new TextField(from.Schema, epochs);
            // What grows by copying itself would hold up the writer where it is large.
            Field._terms.Reserve(from._terms.Count);
            Field._byNumber.Capacity = from._byNumber.Count + (from._byNumber.Count / 8);
            _numbers = new List<int>((int)Math.Min(Array.MaxLength, from._rows.Count * 9L / 8));
            _order = from.Order ?? [];
            CollectionsMarshal.SetCount(_numbers, _order.Length);
            CollectionsMarshal.AsSpan(_numbers).Fill(-1);
        }

        /// <summary>The new field.</summary>
        public TextField Field { get; }

        /// <summary>Bytes held, roughly.</summary>
        public long Bytes =>
            Field.Bytes + (sizeof(int) * ((long)_numbers.Capacity + _order.Length)) + (sizeof(ulong) * (long)_sorted.Capacity);

        /// <summary>The number in the new field of a document that was looked at; -1 where it is gone, or none.</summary>
        public int NumberOf(int doc) => doc >= 0 ? _numbers[doc] : -1;

        /// <summary>
        /// Copies so many numbers and postings, or a block or a term of postings more. True when the new field holds all that the old one
        /// does, until that is changed.
        /// </summary>
        public bool Go(ref int work)
        {
            while (work > 0)
            {
                if (_placed < _order.Length)
                {
                    var doc = _order[_placed++];
                    _numbers[doc] = CopyDocument(doc);
                    Field._ordered = Field._rows.Count;
                    work--;
                }
                else if (_numbers.Count < _from._rows.Count)
                {
                    _numbers.Add(CopyDocument(_numbers.Count));
                    if (_numbers.Count <= _from._ordered)
                        Field._ordered = Field._rows.Count;
                    work--;
                }
                else if (_term < _from._byNumber.Count)
                {
                    work -= _order.Length > 0 ? CopySorted() : CopyPostings();
                }
                else
                {
                    return true;
                }
            }

            return false;
        }

        /// <summary>
        /// A document was added to the old field. What of it is still to come is paid for twice at once: so there is less to be copied
        /// afterwards than before, however fast and whatever is written.
        /// </summary>
        public void Add(int doc, List<Term> terms)
        {
            var left = 0;
            if (_numbers.Count == doc)
                _numbers.Add(CopyDocument(doc));
            else
                left++;
            foreach (var term in terms)
            {
                if (term.Number < _term)
                    Append(term, _numbers[doc], (uint)term.Occurrences);
                else
                    left += term.Postings.Count == 1 ? 1 + TermWork : 1;
            }

            left *= 2;
            Go(ref left);
        }

        /// <summary>A document belongs to another slot.</summary>
        public void Retarget(int doc, int slot)
        {
            if (doc < _numbers.Count && _numbers[doc] >= 0)
                Field._rows.SetSlot(_numbers[doc], slot);
        }

        /// <summary>A document left the statistics: whoever may still see it reads the old field.</summary>
        public void Forget(int doc)
        {
            if (doc >= _numbers.Count || _numbers[doc] < 0)
                return;
            var number = _numbers[doc];
            _numbers[doc] = -1;
            var terms = Field._rows.ValueOf(number).Terms;
            Field._documents--;
            Field._totalLength -= Field._rows.LengthOf(number);
            Field._rows.Remove(number);
            foreach (var term in UnpackTerms(terms))
            {
                if (term > _term || (term == _term && doc > _upTo))
                    continue;
                Field._byNumber[term]!.Postings.Frequency--;
                Field.Kill(Field._byNumber[term]!);
            }
        }

        /// <summary>
        /// Called when <see cref="Go"/> has just said that the new field is whole; the old one must not be changed any more.
        /// </summary>
        public void Finish()
        {
            _from._remake = null;
            _from.Order = null;
            Field._freeNumbers.Clear();
            for (var number = 0; number < Field._byNumber.Count; number++)
            {
                if (Field._byNumber[number] is null)
                    Field._freeNumbers.Push(number);
            }
        }

        private int CopyDocument(int doc)
        {
            if (_from._rows.SlotOf(doc) is not (>= 0 and var slot) || _from._rows.ValueOf(doc) is not { Forgotten: false } row)
                return -1;
            var length = _from._rows.LengthOf(doc);
            Field._totalLength += length;
            Field._documents++;
            return Field._rows.Add(slot, length, row);
        }

        // A block of them at most. Returns the work that was.
        private int CopyPostings()
        {
            if (_term == Field._byNumber.Count)
                Field._byNumber.Add(null);
            var term = _from._byNumber[_term];
            var count = term?.Postings.ReadAbove(_upTo, _docs, _frequencies) ?? 0;
            for (var i = 0; i < count; i++)
            {
                if (_numbers[_docs[i]] is >= 0 and var number)
                    Append(term!, number, _frequencies[i]);
            }

            if (count > 0)
            {
                _upTo = _docs[count - 1];
                return count;
            }

            _term++;
            _upTo = -1;
            return term is null ? 1 : TermWork;
        }

        // All of a term. Returns the work that was.
        private int CopySorted()
        {
            if (_term == Field._byNumber.Count)
                Field._byNumber.Add(null);
            var term = _from._byNumber[_term];
            _sorted.Clear();
            for (var upTo = -1; term?.Postings.ReadAbove(upTo, _docs, _frequencies) is > 0 and var count; upTo = _docs[count - 1])
            {
                for (var i = 0; i < count; i++)
                {
                    if (_numbers[_docs[i]] is >= 0 and var number)
                        _sorted.Add(((ulong)number << 32) | _frequencies[i]);
                }
            }

            _sorted.Sort();
            foreach (var posting in _sorted)
                Append(term!, (int)(posting >> 32), (uint)posting);
            _term++;
            return TermWork + _sorted.Count;
        }

        // Terms keep their numbers, which documents refer to.
        private void Append(Term term, int number, uint frequency)
        {
            if (Field._byNumber[term.Number] is not { } copy)
            {
                copy = new Term(term.Text, term.Number, Field.Schema, Field._layouts);
                Field._byNumber[term.Number] = copy;
                Field._terms.TryAdd(copy);
            }

            copy.Postings.Append(number, frequency, NoBounds.Instance);
            copy.Postings.Frequency++;
            Field._postings++;
        }
    }
}
