using Granary.Index.Partition;

namespace Granary.Index;

/// <content>Copies of what a reader sees.</content>
public sealed partial class PartitionIndex
{
    private const int CheckEvery = 1024;

    /// <summary>
    /// A new index with the points a reader sees: rows as they are stored, each point with the operation that made it, nothing of what was
    /// deleted. It answers as the reader does, and applies the operations that follow. Vectors wait to be linked.
    /// </summary>
    public static PartitionIndex CopyOf(IndexReader from, CancellationToken cancellation)
    {
        var view = from.View;
        var copy = new PartitionIndex(view.Published.Schema);
        try
        {
            var slots = new List<int>();
            foreach (var slot in view.Matches(null, cancellation))
                slots.Add(slot);
            // Rows that were added together stay together.
            slots.Sort((a, b) => view.Slots.BirthOf(a).CompareTo(view.Slots.BirthOf(b)) is not 0 and var order ? order : a.CompareTo(b));
            for (var i = 0; i < slots.Count; i++)
            {
                if (i % CheckEvery == 0)
                    cancellation.ThrowIfCancellationRequested();
                copy.CopyPoint(view, slots[i]);
            }

            foreach (var index in copy._schema.PayloadIndexes)
                copy._indexes.Create(index, copy._payloads, copy.TakenSlots());
            copy.MarkAdds(view.Operation);
            copy.Publish(view.Operation);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private void CopyPoint(View view, int from)
    {
        var slot = _slots.Take(view.IdOf(from), view.Slots.BirthOf(from), SlotTable.None);
        var payload = view.Payload(from);
        _payloads.Set(slot, payload);
        for (var i = 0; i < _fields.All.Length; i++)
        {
            // Fields stand in the schema's order, in both.
            var source = view.Published.Fields.All[i];
            var field = _fields.All[i];
            field.Open(slot);
            field.Set(slot, CopyRow(field, source, source.RowOf(from), payload, slot));
            CopyMark(field, source, from, slot);
        }

        _slots.Link(slot);
        _points++;
    }
}
