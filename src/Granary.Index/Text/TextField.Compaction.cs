using Granary.Index.Memory;

namespace Granary.Index.Text;

/// <content>
/// Documents are numbered in the order they come, and numbers are not used again: bounds and layouts stand for all numbers ever given out,
/// so that a field whose documents are replaced grows, and its searches with it, until it is made anew.
/// </content>
public sealed partial class TextField
{
    /// <summary>Whether more than half of all numbers, and more than <paramref name="least"/>, stand for documents that are gone.</summary>
    internal bool IsSparse(int least) => _rows.Count - DocumentCount > Math.Max(DocumentCount, least);

    /// <summary>
    /// The same field with the counted documents alone, numbered without gaps in the same order: its scores and statistics are bit-equal.
    /// Called by the writing thread; readers of this one go on.
    /// </summary>
    internal TextField Compacted(EpochClock epochs)
    {
        var field = new TextField(Schema, epochs);
        var numbers = new int[_rows.Count];
        for (var doc = 0; doc < numbers.Length; doc++)
        {
            numbers[doc] = -1;
            if (_rows.SlotOf(doc) is >= 0 and var slot && _rows.ValueOf(doc) is { Forgotten: false } row)
            {
                numbers[doc] = field._rows.Add(slot, _rows.LengthOf(doc), row);
                field._totalLength += _rows.LengthOf(doc);
            }
        }

        field._documents = field._rows.Alive;

        // Terms keep their numbers, which documents refer to.
        for (var number = 0; number < _byNumber.Count; number++)
        {
            var term = _byNumber[number] is { } known ? new Term(known.Text, number, Schema, field._layouts) : null;
            foreach (var (doc, frequency) in term is null ? [] : _byNumber[number]!.Postings.Enumerate())
            {
                if (numbers[doc] >= 0)
                    term!.Postings.Append(numbers[doc], frequency, NoBounds.Instance);
            }

            if (term is null or { Postings.Count: 0 })
            {
                field._byNumber.Add(null);
                field._freeNumbers.Push(number);
                continue;
            }

            term.Postings.Frequency = term.Postings.Count;
            field._postings += term.Postings.Count;
            field._byNumber.Add(term);
            field._terms.TryAdd(term);
        }

        return field;
    }
}
