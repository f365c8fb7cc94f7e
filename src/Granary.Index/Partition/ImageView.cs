namespace Granary.Index.Partition;

/// <summary>
/// What an image holds: the versions of points as of one operation, told from live memory while later operations are applied. It takes
/// nothing but that versions which were there are not released meanwhile: then all that later operations do to them is to end them and to
/// hand their rows on, and both can be undone in the telling.
/// </summary>
internal sealed class ImageView(SlotTable slots, long operation, int count, Action graphWritten)
{
    /// <summary>Slots are numbered below this.</summary>
    public int Count => count;

    /// <summary>Whether a slot held a version, be it dead.</summary>
    public bool Has(int slot) => slot < count && slots.WasTaken(slot, operation);

    /// <summary>Whether a version that was there lived.</summary>
    public bool Lived(int slot) => slots.IsVisible(slot, operation);

    /// <summary>The newest slot that a row of a field had; -1 when it had none.</summary>
    public int SlotOf(Field field, int row)
    {
        var slot = field.SlotOf(row);
        while (slot >= 0 && slots.BirthOf(slot) > operation)
            slot = slots.PreviousOf(slot);

        // A row that came later stands in a chain whose older versions had another.
        return slot >= 0 && field.RowOf(slot) == row ? slot : Field.NoRow;
    }

    /// <summary>Writes the slots.</summary>
    public void Save(Stream stream) => slots.Save(stream, count, operation);

    /// <summary>Told by a field that its graph is written, or that it has none: it may be linked again.</summary>
    public void GraphWritten() => graphWritten();
}

/// <summary>What a field's image is written from: what it counted at one operation. Written while later operations are applied.</summary>
internal delegate void FieldImage(Stream stream, ImageView view);
