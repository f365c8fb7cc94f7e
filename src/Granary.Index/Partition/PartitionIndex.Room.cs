using Granary.Index.Operations;
using Granary.Index.Partition;

namespace Granary.Index;

/// <content>Room for what an operation adds, seen to before anything is changed.</content>
public sealed partial class PartitionIndex
{
    /// <summary>How many row numbers a text or sparse field gives out before it is numbered anew; tests lower it.</summary>
    internal int RowLimit { get; set; } = int.MaxValue;

    /// <summary>So many documents of a text field may be gone before it is made anew without them; tests lower it.</summary>
    internal int LeastGone { get; set; } = 16_384;

    /// <summary>How much of such a field is copied at a time: numbers, postings and slots; tests lower it.</summary>
    internal int RemakePiece { get; set; } = 1 << 15;

    /// <summary>By how many bytes one operation may make the points it changes larger, all together; tests lower it.</summary>
    internal long GrowthLimit { get; set; } = 1L << 30;

    /// <summary>
    /// Refuses an operation by filter that gives more to so many points than memory may hold: running out of it would end the process, and
    /// again at every start, since the operation is in the log.
    /// </summary>
    private void CheckGrowth(long bytes)
    {
        if (bytes > GrowthLimit)
            throw GranaryException.BadInput(
                $"The operation makes the {_targets.Count} points it changes larger by {bytes} bytes at least; the limit is {GrowthLimit}");
    }

    private static long VectorBytes(OperationView view)
    {
        var bytes = 0L;
        foreach (var vector in view)
            bytes += (long)vector.Values.Length * sizeof(float);
        return bytes;
    }

    /// <summary>
    /// Makes sure that every point an operation changes can have a new version and a new row in each field. Text and sparse fields do not
    /// use numbers again, so one that comes to the end of them is made anew from the living points; readers keep the old one.
    /// </summary>
    /// <exception cref="GranaryException">There is no room for so many living rows; nothing was changed.</exception>
    private void MakeRoom(OperationView view)
    {
        if (view.Kind == OperationKind.Delete || _targets.Count == 0)
            return;
        if (_slots.Count > int.MaxValue - _targets.Count)
            throw Full("versions of points", _slots.Count, int.MaxValue);
        for (var i = 0; i < _fields.All.Length; i++)
        {
            var field = _fields.All[i];
            var living = field switch
            {
                TextColumn text => text.Postings.DocumentCount,
                SparseColumn sparse => sparse.Postings.RowCount,
                _ => field.RowCapacity,
            };
            var limit = field is TextColumn or SparseColumn ? RowLimit : int.MaxValue;
            if (living > limit - _targets.Count)
                throw Full($"rows of \"{field.Name}\"", living, limit);
            if (field.RowCapacity > limit - _targets.Count)
                Renumber(field);
        }
    }

    private void Renumber(Field field)
    {
        _fields = FieldSet.Create(_schema, _epochs, name => name == field.Name ? null : _fields.Find(name));
        Fill(_fields.Find(field.Name)!, field);
        _dropped.Add((field, NotRetired));
    }

    /// <summary>
    /// Goes on with a text field that is made anew, since most of its documents are gone or an order of them was found: a piece at a time,
    /// and one field at a time. Readers keep the old one.
    /// </summary>
    private void Remake()
    {
        if (FindRemake() is not { } text || text.MakeAnew(RemakePiece, _slots.Count, _epochs) is not { } made)
            return;
        _fields = FieldSet.Create(_schema, _epochs, name => name == text.Name ? made : _fields.Find(name));
        Volatile.Write(ref _published, _published with { Fields = _fields });
        _dropped.Add((text, NotRetired));
    }

    private TextColumn? FindRemake()
    {
        TextColumn? due = null;
        foreach (var field in _fields.All)
        {
            if (field is not TextColumn text)
                continue;
            if (text.Postings.Remaking is not null)
                return text;
            if (due is null && (text.Postings.Order is not null || text.Postings.IsSparse(LeastGone)))
                due = text;
        }

        return due;
    }

    private GranaryException Full(string what, long used, int limit) => new(
        ErrorKind.InsufficientStorage,
        $"The operation changes {_targets.Count} points, and of {limit} {what} that a partition can hold {used} are in use");
}
