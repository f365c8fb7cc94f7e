using Granary.Index.Operations;
using Granary.Index.Partition;
using Granary.Index.Payload;

namespace Granary.Index;

/// <content>
/// Vectors computed from text follow it: each carries a mark with the payload path of its text, and goes when an operation changes that
/// text. Vectors without a mark are a client's and stay.
/// </content>
public sealed partial class PartitionIndex
{
    // Of the vectors of the operation, in their order, which apply and what they were computed from; empty where all do and none was.
    private readonly List<(bool Applies, string Path)> _sources = [];
    private readonly List<PointId> _changed = [];
    private string?[] _marks = [];

    /// <summary>
    /// The points that the operation applied last changed, where it is one by filter that awaits embedding; for the applying thread.
    /// </summary>
    public IReadOnlyList<PointId> Changed => _changed;

    /// <summary>An embedding fills the vectors that the point lacks and whose text is still the one they were computed from.</summary>
    private void PrepareEmbedding(OperationView view)
    {
        if ((view.Flags & OperationFlags.ByFilter) != 0)
            throw GranaryException.BadInput("An embedding names one point");
        FindTargets(view);
        if (view.Key.IsEmpty)
        {
            // From before there were marks.
            if (_targets.Count == 1 && _slots.BirthOf(_targets[0].Slot) != view.Source)
                _targets.Clear();
            return;
        }

        var sources = Sources(view);
        var slot = _targets.Count == 1 ? _targets[0].Slot : SlotTable.None;
        for (var i = 0; i < sources.Count; i++)
        {
            var (field, source) = sources[i];
            var path = JsonPath.Parse(source.Path);
            _sources.Add((slot >= 0 && field.RowOf(slot) < 0 && source.IsOf(_payloads.Get(slot), path), source.Path));
        }

        if (!_sources.Exists(s => s.Applies))
            _targets.Clear();
    }

    private List<(DenseColumn Field, EmbeddingSource Source)> Sources(OperationView view)
    {
        var names = Names(view.Key);
        if (names.Count != 2 * view.VectorCount)
            throw GranaryException.BadInput($"{view.VectorCount} vectors need {2 * view.VectorCount} names of sources, {names.Count} "
                + "given");
        var sources = new List<(DenseColumn, EmbeddingSource)>(view.VectorCount);
        foreach (var vector in view)
        {
            var source = new EmbeddingSource(names[2 * sources.Count], names[(2 * sources.Count) + 1]);
            if (_fields.All[_fields.IndexOfVector(vector.NameUtf8)] is not DenseColumn field)
                throw GranaryException.BadInput($"Vector \"{vector.Name}\" is not a dense vector, which alone are computed");
            if (!field.Computed.Takes(source.Path))
                throw GranaryException.BadInput($"Vector \"{vector.Name}\" cannot be marked as computed from `{source.Path}`: the limit is "
                    + $"{ComputedMarks.MaxPaths} paths of {EmbeddingSource.MaxPathLength} characters");
            sources.Add((field, source));
        }

        return sources;
    }

    // A computed vector stays while its text does, even where an upsert brings the point anew without it.
    private void KeepComputed(int old, ReadOnlySpan<byte> payload, bool payloadChanged)
    {
        if (_marks.Length != _rows.Length)
            _marks = new string?[_rows.Length];
        Array.Clear(_marks);
        if (old < 0)
            return;
        for (var i = 0; i < _rows.Length; i++)
        {
            if (_fields.All[i] is not DenseColumn field || field.Computed.PathOf(old) is not { } mark || _dropFields.Contains(i))
                continue;
            var path = JsonPath.Parse(mark);
            var stays = !payloadChanged || PayloadTexts.ToEmbed(payload, path) == PayloadTexts.ToEmbed(_payloads.Get(old), path);
            (_rows[i], _marks[i]) = stays ? (field.RowOf(old), mark) : (Field.NoRow, null);
        }
    }

    private void PlaceVectors(OperationView view, int old, int slot)
    {
        var position = 0;
        foreach (var vector in view)
        {
            var (applies, path) = _sources.Count == 0 ? (true, default(string)) : _sources[position++];
            if (applies)
                _marks[PlaceVector(vector, old, slot)] = path;
        }
    }

    private void MarkComputed(int slot)
    {
        for (var i = 0; i < _marks.Length; i++)
        {
            if (_fields.All[i] is DenseColumn field)
                field.Computed.Set(slot, _rows[i] >= 0 ? _marks[i] : null);
        }
    }

    private static void CopyMark(Field field, Field? source, int from, int slot)
    {
        if (field is DenseColumn filled && source is DenseColumn copied)
            filled.Computed.Set(slot, filled.RowOf(slot) >= 0 ? copied.Computed.PathOf(from) : null);
    }

    private void TellChanged(OperationView view)
    {
        const OperationFlags both = OperationFlags.ByFilter | OperationFlags.AwaitsEmbedding;
        if ((view.Flags & both) != both)
            return;
        foreach (var target in _targets)
            _changed.Add(target.Id);
    }
}
