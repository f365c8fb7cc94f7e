using Granary.Index.Memory;
using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <content>
/// The image: magic, version, statistics, documents (slot, length, forgotten, packed terms), terms by number (empty for a free
/// number) with their postings.
/// </content>
public sealed partial class TextField
{
    private const uint Magic = 0x54585447;
    private const uint FormatVersion = 1;

    /// <summary>Writes the index. Called by the writing thread; searches go on.</summary>
    public void Save(Stream stream)
    {
        var writer = new FrameWriter(stream);
        writer.WriteNumber(Magic);
        writer.WriteNumber(FormatVersion);
        writer.WriteLong(_documents);
        writer.WriteLong(_totalLength);
        writer.WriteNumber((uint)_rows.Count);
        for (var doc = 0; doc < _rows.Count; doc++)
        {
            var slot = _rows.SlotOf(doc);
            writer.WriteSigned(slot);
            if (slot < 0)
                continue;
            var row = _rows.ValueOf(doc);
            writer.WriteNumber((uint)_rows.LengthOf(doc));
            writer.WriteNumber(row.Forgotten ? 1u : 0);
            writer.WriteBytes(row.Terms);
        }

        writer.WriteNumber((uint)_byNumber.Count);
        foreach (var term in _byNumber)
        {
            writer.WriteString(term?.Text ?? string.Empty);
            if (term != null)
                PostingStorage.Write(writer, term.Postings);
        }

        writer.End();
    }

    /// <summary>Reads an index written by <see cref="Save"/>; document numbers stay.</summary>
    /// <exception cref="GranaryException">The stream is damaged or of a newer format.</exception>
    public static TextField Load(Stream stream, TextFieldSchema schema, EpochClock epochs)
    {
        var field = new TextField(schema, epochs);
        var reader = new FrameReader(stream, schema.Name);
        if (reader.ReadNumber() != Magic)
            throw reader.Corrupted("it is not a text index");
        if (reader.ReadNumber() is var version && version != FormatVersion)
            throw reader.Corrupted($"format {version} is not known; this build knows {FormatVersion}");
        field._documents = reader.ReadLong();
        field._totalLength = reader.ReadLong();
        var documents = reader.ReadNumber();
        for (var doc = 0u; doc < documents; doc++)
        {
            var slot = reader.ReadSigned();
            if (slot < 0)
            {
                field._rows.AddHole();
                continue;
            }

            var length = reader.ReadCount(int.MaxValue, "a length");
            var forgotten = reader.ReadNumber() != 0;
            field._rows.Add(slot, length, new TextRow(reader.ReadBytes("a document's terms"), forgotten));
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

            var term = new Term(text, (int)number);
            PostingStorage.Read(reader, term.Postings, field._rows, field._bounds);
            field._byNumber.Add(term);
            if (!field._terms.TryAdd(text, term))
                throw reader.Corrupted($"the term \"{text}\" is there twice");
        }

        reader.End();
        return field;
    }
}
