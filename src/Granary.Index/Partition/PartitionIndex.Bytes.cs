namespace Granary.Index;

/// <content>Where the memory goes.</content>
public sealed partial class PartitionIndex
{
    /// <summary>Bytes of each part, text, sparse and payload indexes left out; only while nothing is applied or linked.</summary>
    internal IReadOnlyList<(string Part, long Bytes, bool Unmanaged)> MeasureBytes()
    {
        List<(string, long, bool)> parts = [("versions of points and their ids", _slots.EntryBytes, true)];
        parts.Add(("from ids to versions", _slots.Bytes - _slots.EntryBytes, false));
        foreach (var field in _fields.Dense)
        {
            parts.AddRange(field.Vectors.MeasureBytes());
            parts.Add(("rows of versions", field.ColumnBytes, true));
        }

        parts.Add(("payloads", _payloads.Bytes, true));
        return parts;
    }
}
