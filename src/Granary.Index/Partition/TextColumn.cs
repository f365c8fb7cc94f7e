using Granary.Index.Payload;
using Granary.Index.Text;

namespace Granary.Index.Partition;

/// <summary>A text field: its documents come from the payload.</summary>
internal sealed class TextColumn(TextField inner) : Field(inner.Schema.Name)
{
    private readonly JsonPath _path = JsonPath.Parse(inner.Schema.Path);

    /// <summary>The inverted index.</summary>
    public TextField Postings => inner;

    /// <inheritdoc/>
    public override int RowCapacity => inner.DocumentCapacity;

    /// <inheritdoc/>
    protected override long FieldBytes => inner.Bytes;

    /// <inheritdoc/>
    public override int SlotOf(int row) => inner.SlotOf(row);

    /// <inheritdoc/>
    public override void Forget(int row) => inner.Forget(row);

    /// <inheritdoc/>
    public override FieldImage Freeze()
    {
        var image = inner.Freeze();
        // Forgotten is what had no living version: the point was deleted, or had another text, or none.
        return (stream, view) => inner.Save(stream, image, doc => view.SlotOf(this, doc), (_, slot) => !view.Lived(slot));
    }

    /// <summary>The strings of a payload that make the document.</summary>
    public List<string> Texts(ReadOnlySpan<byte> payload) => PayloadTexts.At(payload, _path);

    /// <inheritdoc/>
    protected override void DisposeField()
    {
    }

    /// <inheritdoc/>
    protected override void Retarget(int row, int slot) => inner.Retarget(row, slot);

    /// <inheritdoc/>
    protected override void Remove(int row) => inner.Remove(row);
}
