using Granary.Index.Memory;
using Granary.Index.Payload;
using Granary.Index.Text;

namespace Granary.Index.Partition;

/// <summary>A text field: its documents come from the payload.</summary>
internal sealed class TextColumn(TextField inner) : Field(inner.Schema.Name)
{
    private readonly JsonPath _path = JsonPath.Parse(inner.Schema.Path);

    // The column of the field made anew. Below the slot it follows this one.
    private TextColumn? _next;
    private int _handed;

    /// <summary>The inverted index.</summary>
    public TextField Postings => inner;

    /// <inheritdoc/>
    public override int RowCapacity => inner.DocumentCapacity;

    /// <inheritdoc/>
    protected override long FieldBytes => inner.Bytes + (_next?.ColumnBytes ?? 0);

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

    /// <inheritdoc/>
    public override void Open(int slot)
    {
        base.Open(slot);
        if (slot < _handed)
            _next!.Open(slot);
    }

    /// <inheritdoc/>
    public override void Set(int slot, int row)
    {
        base.Set(slot, row);
        if (slot < _handed)
            _next!.Set(slot, inner.Remaking!.NumberOf(row));
    }

    /// <summary>
    /// Goes on making the field anew by so much work: numbers, postings and slots that are copied. Gives the new one when it is whole, to
    /// take the place of this before anything else is changed. Called by the applier between operations.
    /// </summary>
    public TextColumn? MakeAnew(int work, int slots, EpochClock epochs)
    {
        var remake = inner.MakeAnew(epochs);
        if (!remake.Go(ref work))
            return null;
        var next = _next ??= new TextColumn(remake.Field);
        for (; _handed < slots && work > 0; _handed++, work--)
        {
            next.Open(_handed);
            next.Set(_handed, remake.NumberOf(RowOf(_handed)));
        }

        if (_handed < slots)
            return null;
        remake.Finish();
        (_next, _handed) = (null, 0);
        return next;
    }

    /// <summary>The strings of a payload that make the document.</summary>
    public List<string> Texts(ReadOnlySpan<byte> payload) => PayloadTexts.At(payload, _path);

    /// <inheritdoc/>
    protected override void DisposeField() => _next?.Dispose();

    /// <inheritdoc/>
    protected override void Retarget(int row, int slot) => inner.Retarget(row, slot);

    /// <inheritdoc/>
    protected override void Remove(int row) => inner.Remove(row);
}
