using Granary.Index.Memory;
using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <content>
/// The image: magic, version, statistics, how many numbers stand in an order, documents (slot, length, forgotten, packed terms), terms by
/// number (empty for a free number) with their postings.
/// </content>
public sealed partial class TextField
{
    private const uint Magic = 0x54585447;
    private const uint FormatVersion = 2;

    // It did not say how many documents stand in an order.
    private const uint UnorderedVersion = 1;

    /// <summary>Writes the index. Called by the writing thread; searches go on.</summary>
    public void Save(Stream stream) => Save(stream, Freeze(), SlotOf, (doc, _) => _rows.ValueOf(doc).Forgotten);

    /// <summary>Takes the counts and the numbers of the terms. Called by the writing thread.</summary>
    internal Image Freeze() => new(_rows.Count, _ordered, _documents, _totalLength, [.. _byNumber]);

    /// <summary>
    /// Writes what was there when <paramref name="image"/> was taken, each document as of the slot it had. Documents may be added
    /// meanwhile, but none removed.
    /// </summary>
    internal void Save(Stream stream, Image image, Func<int, int> slotOf, Func<int, int, bool> isForgotten)
    {
        var writer = new FrameWriter(stream);
        writer.WriteNumber(Magic);
        writer.WriteNumber(FormatVersion);
        writer.WriteLong(image.Documents);
        writer.WriteLong(image.TotalLength);
        writer.WriteNumber((uint)image.Ordered);
        writer.WriteNumber((uint)image.Rows);
        var frequencies = new int[image.Terms.Length];
        for (var doc = 0; doc < image.Rows; doc++)
        {
            var slot = slotOf(doc);
            writer.WriteSigned(slot);
            if (slot < 0)
                continue;
            var forgotten = isForgotten(doc, slot);
            var terms = _rows.ValueOf(doc).Terms;
            writer.WriteNumber((uint)_rows.LengthOf(doc));
            writer.WriteNumber(forgotten ? 1u : 0);
            writer.WriteBytes(terms);
            if (forgotten)
                continue;
            foreach (var number in UnpackTerms(terms))
                frequencies[number]++;
        }

        writer.WriteNumber((uint)image.Terms.Length);
        for (var number = 0; number < image.Terms.Length; number++)
        {
            var term = image.Terms[number];
            writer.WriteString(term?.Text ?? string.Empty);
            if (term != null)
                PostingStorage.Write(writer, term.Postings, image.Rows, frequencies[number]);
        }

        writer.End();
    }

    /// <summary>
    /// Reads an index written by <see cref="Save(Stream)"/>. Documents are numbered anew, without those that were removed.
    /// </summary>
    /// <exception cref="GranaryException">The stream is damaged or of a newer format.</exception>
    public static TextField Load(Stream stream, TextFieldSchema schema, EpochClock epochs)
    {
        var field = new TextField(schema, epochs);
        var reader = new FrameReader(stream, schema.Name);
        if (reader.ReadNumber() != Magic)
            throw reader.Corrupted("it is not a text index");
        if (reader.ReadNumber() is var version && version is not (FormatVersion or UnorderedVersion))
            throw reader.Corrupted($"format {version} is not known; this build knows {FormatVersion}");
        field._documents = reader.ReadLong();
        field._totalLength = reader.ReadLong();
        var ordered = version == UnorderedVersion ? 0 : reader.ReadCount(int.MaxValue, "a count of documents in order");
        var documents = reader.ReadCount(int.MaxValue, "a document count");
        var numbers = new List<int>();
        for (var doc = 0; doc < documents; doc++)
        {
            var slot = reader.ReadSigned();
            numbers.Add(slot < 0 ? -1 : field._rows.Count);
            if (slot < 0)
                continue;

            var length = reader.ReadCount(int.MaxValue, "a length");
            var forgotten = reader.ReadNumber() != 0;
            field._rows.Add(slot, length, new TextRow(reader.ReadBytes("a document's terms"), forgotten));
            if (doc < ordered)
                field._ordered = field._rows.Count;
        }

        var terms = reader.ReadNumber();
        for (var number = 0u; number < terms; number++)
        {
            var text = reader.ReadString("a term");
            if (text.Length == 0)
            {
                field._byNumber.Add(null);
                field._freeNumbers.Push((int)number);
                continue;
            }

            var term = new Term(text, (int)number, schema, field._layouts);
            PostingStorage.Read(reader, term.Postings, numbers, NoBounds.Instance);
            if (term.Postings.Count == 0)
            {
                // All its documents were removed, or came after the image was taken.
                field._byNumber.Add(null);
                field._freeNumbers.Push((int)number);
                continue;
            }

            field._postings += term.Postings.Count;
            field._byNumber.Add(term);
            if (!field._terms.TryAdd(term))
                throw reader.Corrupted($"the term \"{text}\" is there twice");
        }

        reader.End();
        return field;
    }

    /// <summary>What was counted at one moment, and the terms by their numbers.</summary>
    internal sealed record Image(int Rows, int Ordered, long Documents, long TotalLength, Term?[] Terms);
}
