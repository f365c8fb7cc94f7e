using System.Text;
using System.Text.Json;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Partition;
using Granary.Index.Payload;

namespace Granary.Index;

/// <content>Reads an operation and finds out what it changes, before anything is changed.</content>
public sealed partial class PartitionIndex
{
    // The points the operation changes, by id, with the version each has now (or none) and its next payload.
    private readonly List<Target> _targets = [];
    private readonly List<int> _dropFields = [];
    private bool[] _named = [];
    private PayloadIndexSchema? _nextIndex;
    private IndexSchema? _nextSchema;

    private void Prepare(OperationView view)
    {
        _targets.Clear();
        _dropFields.Clear();
        _sources.Clear();
        _changed.Clear();
        CheckVectors(view);
        switch (view.Kind)
        {
            case OperationKind.None or OperationKind.DropPayloadIndex:
                break;
            case OperationKind.Upsert:
                PrepareUpsert(view);
                break;
            case OperationKind.Delete:
                FindTargets(view);
                break;
            case OperationKind.UpdateVectors:
                FindTargets(view);
                KeepMatching(view);
                break;
            case OperationKind.SetPayload or OperationKind.OverwritePayload or OperationKind.DeletePayload or OperationKind.ClearPayload:
                PreparePayload(view);
                break;
            case OperationKind.DeleteVectors:
                FindTargets(view);
                foreach (var name in Names(view.Key))
                    _dropFields.Add(FieldIndex(name));
                break;
            case OperationKind.ApplyEmbedding:
                PrepareEmbedding(view);
                break;
            case OperationKind.CreatePayloadIndex:
                _nextIndex = SchemaJson.ReadPayloadIndex(view.Payload);
                CheckIndex(_nextIndex);
                break;
            case OperationKind.ChangeSchema:
                _nextSchema = SchemaJson.ReadSchema(view.Payload);
                CheckSchema(_nextSchema);
                break;
            default:
                throw GranaryException.BadInput($"Unknown operation kind {(byte)view.Kind}");
        }
    }

    private void CheckVectors(OperationView view)
    {
        if (_named.Length != _fields.All.Length)
            _named = new bool[_fields.All.Length];
        Array.Clear(_named);
        var vectors = view.GetEnumerator();
        while (Next(ref vectors))
        {
            var index = _fields.IndexOfVector(vectors.Current.NameUtf8);
            if (index < 0)
                throw LegChecks.UnknownVector(vectors.Current.Name);

            // The row of the first would belong to the slot and yet not stand in its column.
            if (_named[index])
                throw GranaryException.BadInput($"Vector \"{vectors.Current.Name}\" is given twice");
            _named[index] = true;
            ((VectorColumn)_fields.All[index]).Check(vectors.Current);
        }
    }

    private static bool Next(ref OperationView.VectorEnumerator vectors)
    {
        try
        {
            return vectors.MoveNext();
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw new GranaryException(ErrorKind.Corrupted, "The vectors of an operation are cut short.", e);
        }
    }

    private void PrepareUpsert(OperationView view)
    {
        if (view.Id.Kind == PointIdKind.None || (view.Flags & OperationFlags.ByFilter) != 0)
            throw GranaryException.BadInput("An upsert needs a point id");
        var exists = _slots.TryFind(view.Id, AppliedOperation, out var slot);
        var payload = view.Payload.IsEmpty ? [] : PayloadEdit.Normalize(view.Payload);
        if (exists ? (view.Flags & OperationFlags.InsertOnly) != 0 : (view.Flags & OperationFlags.UpdateOnly) != 0)
            return;
        if (!view.Filter.IsEmpty)
        {
            using var plan = NewView().Plan(FilterJson.Parse(view.Filter));
            if (exists && plan is not null && !plan.Matches(slot))
                return;
        }

        _targets.Add(new Target(view.Id, exists ? slot : SlotTable.None, payload));
    }

    private void PreparePayload(OperationView view)
    {
        var key = view.Kind == OperationKind.SetPayload && !view.Key.IsEmpty ? JsonPath.Parse(Encoding.UTF8.GetString(view.Key)) : null;
        List<JsonPath> keys = view.Kind == OperationKind.DeletePayload ? Names(view.Key).ConvertAll(JsonPath.Parse) : [];
        var given = view.Payload.IsEmpty ? [] : PayloadEdit.Normalize(view.Payload);
        if (view.Kind == OperationKind.SetPayload && given.Length == 0)
            throw GranaryException.BadInput("No payload to set is given");
        FindTargets(view);
        var grown = 0L;
        for (var i = 0; i < _targets.Count; i++)
        {
            var before = _payloads.Get(_targets[i].Slot);
            if (before.IsEmpty)
                before = "{}"u8;
            _targets[i] = _targets[i] with
            {
                Payload = view.Kind switch
                {
                    OperationKind.SetPayload => PayloadEdit.Set(before, given, key),
                    OperationKind.OverwritePayload => given,
                    OperationKind.DeletePayload => PayloadEdit.Delete(before, keys),
                    _ => [],
                },
            };
            CheckGrowth(grown += Math.Max(0, _targets[i].Payload!.Length - before.Length));
        }
    }

    // By id, so that every replica changes points in the same order whatever slots they have.
    private void FindTargets(OperationView view)
    {
        if ((view.Flags & OperationFlags.ByFilter) == 0)
        {
            if (view.Id.Kind == PointIdKind.None)
                throw GranaryException.BadInput($"{view.Kind} names no point and no filter");
            if (_slots.TryFind(view.Id, AppliedOperation, out var slot))
                _targets.Add(new Target(view.Id, slot, null));
            return;
        }

        var current = NewView();
        using var plan = current.Plan(FilterJson.Parse(view.Filter));
        foreach (var slot in current.Matches(plan, CancellationToken.None))
            _targets.Add(new Target(_slots.IdOf(slot), slot, null));
        CheckGrowth(VectorBytes(view) * _targets.Count);
        _targets.Sort(static (a, b) => a.Id.CompareTo(b.Id));
    }

    /// <summary>The filter of an operation that names its point is a condition the point must meet.</summary>
    private void KeepMatching(OperationView view)
    {
        if (view.Filter.IsEmpty || (view.Flags & OperationFlags.ByFilter) != 0)
            return;
        using var plan = NewView().Plan(FilterJson.Parse(view.Filter));
        if (plan is not null)
            _targets.RemoveAll(target => !plan.Matches(target.Slot));
    }

    private int FieldIndex(string name)
    {
        var index = _fields.IndexOfVector(Encoding.UTF8.GetBytes(name));
        return index >= 0 ? index : throw LegChecks.UnknownVector(name);
    }

    private static List<string> Names(ReadOnlySpan<byte> json)
    {
        var names = new List<string>();
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            throw GranaryException.BadInput("The names or keys are not a JSON array");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
                throw GranaryException.BadInput("The names or keys are not an array of strings");
            names.Add(Text(reader));
        }

        return names;
    }

    private static string Text(in Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new GranaryException(ErrorKind.BadInput, "The names or keys hold a string that is not Unicode text", e);
        }
    }

    /// <summary>A point to be changed.</summary>
    /// <param name="Id">The point.</param>
    /// <param name="Slot">Its version now, or none.</param>
    /// <param name="Payload">Its next payload; null when it stays as it is.</param>
    private readonly record struct Target(PointId Id, int Slot, byte[]? Payload);
}
