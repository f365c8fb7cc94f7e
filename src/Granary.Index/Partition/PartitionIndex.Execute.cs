using Granary.Index.Operations;
using Granary.Index.Partition;

namespace Granary.Index;

/// <content>Carries out what Prepare found. New rows and index entries come first; one publication afterwards shows them all.</content>
public sealed partial class PartitionIndex
{
    private readonly List<int> _dead = [];
    private int[] _rows = [];

    private void Execute(long operation, OperationView view)
    {
        switch (view.Kind)
        {
            case OperationKind.None:
                break;
            case OperationKind.Delete:
                foreach (var target in _targets)
                    Delete(operation, target.Slot);
                break;
            case OperationKind.CreatePayloadIndex:
                CreateIndex(_nextIndex!);
                break;
            case OperationKind.DropPayloadIndex:
                DropIndex(System.Text.Encoding.UTF8.GetString(view.Key));
                break;
            case OperationKind.ChangeSchema:
                ChangeSchema(_nextSchema!);
                break;
            default:
                foreach (var target in _targets)
                    Change(operation, view, target);
                break;
        }

        TellChanged(view);
        _targets.Clear();
    }

    private void Delete(long operation, int slot)
    {
        foreach (var field in _fields.All)
        {
            var row = field.RowOf(slot);
            if (row >= 0)
                field.Forget(row);
        }

        _slots.End(slot, operation);
        _dead.Add(slot);
        _points--;
    }

    private void Change(long operation, OperationView view, Target target)
    {
        var old = target.Slot;
        var payload = target.Payload ?? _payloads.Get(old);
        if (payload.SequenceEqual("{}"u8))
            payload = [];
        var slot = _slots.Take(target.Id, operation, ChainOf(target));
        foreach (var field in _fields.All)
            field.Open(slot);
        _payloads.Set(slot, payload);
        _indexes.Add(slot, payload);
        KeepRows(view, old);
        KeepComputed(old, payload, target.Payload is not null);
        PlaceVectors(view, old, slot);
        MarkComputed(slot);
        for (var i = 0; i < _rows.Length; i++)
            PlaceRow(_fields.All[i], i, old, slot, payload, target.Payload is not null);
        _slots.Link(slot);
        if (old < 0)
        {
            _points++;
            return;
        }

        _slots.End(old, operation);
        _dead.Add(old);
    }

    // A point that was deleted and comes back goes on from the version that older readers may still see.
    private int ChainOf(Target target) => target.Slot >= 0 ? target.Slot : _slots.Find(target.Id);

    // Which rows the new version takes over: all but those replaced or dropped.
    private void KeepRows(OperationView view, int old)
    {
        if (_rows.Length != _fields.All.Length)
            _rows = new int[_fields.All.Length];
        for (var i = 0; i < _rows.Length; i++)
        {
            var keeps = old >= 0 && (view.Kind != OperationKind.Upsert || _fields.All[i] is TextColumn);
            _rows[i] = keeps ? _fields.All[i].RowOf(old) : Field.NoRow;
        }

        foreach (var dropped in _dropFields)
            _rows[dropped] = Field.NoRow;
    }

    // Gives the field's position.
    private int PlaceVector(in VectorView vector, int old, int slot)
    {
        var index = _fields.IndexOfVector(vector.NameUtf8);
        var field = (VectorColumn)_fields.All[index];
        var before = old >= 0 ? field.RowOf(old) : Field.NoRow;
        if (before >= 0 && field.Holds(before, vector))
        {
            _rows[index] = before;
            return index;
        }

        field.Expect(slot);
        _rows[index] = field.Add(vector, slot);
        return index;
    }

    private void PlaceRow(Field field, int index, int old, int slot, ReadOnlySpan<byte> payload, bool payloadChanged)
    {
        var before = old >= 0 ? field.RowOf(old) : Field.NoRow;
        var row = _rows[index];
        if (field is TextColumn text && payloadChanged)
        {
            var texts = text.Texts(payload);
            if (before < 0 || !texts.SequenceEqual(text.Texts(_payloads.Get(old))))
            {
                text.Expect(slot);
                row = texts.Count == 0 ? Field.NoRow : text.Postings.Add(texts, slot);
            }
        }

        if (row >= 0 && row == before)
            field.Move(row, slot);
        else
            field.Set(slot, row);
        if (before >= 0 && row != before)
            field.Forget(before);
    }
}
