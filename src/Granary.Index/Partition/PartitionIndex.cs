using Granary.Index.Memory;
using Granary.Index.Operations;
using Granary.Index.Partition;
using Granary.Index.Payload;

namespace Granary.Index;

/// <summary>What applying an operation did.</summary>
public enum ApplyOutcome : byte
{
    /// <summary>It changed something, or legitimately nothing (a delete of an unknown id, say).</summary>
    Applied,

    /// <summary>Its number is not above <see cref="PartitionIndex.AppliedOperation"/>: it was applied before.</summary>
    AlreadyApplied,

    /// <summary>It can never be applied: it was counted, reported and passed over.</summary>
    Poison,
}

/// <summary>
/// Vectors, text and payload of one partition, searchable while it is written. One thread at a time applies operations;
/// any number link and search.
/// </summary>
public sealed partial class PartitionIndex : IDisposable
{
    private readonly EpochClock _epochs;
    private readonly SlotTable _slots;
    private readonly PayloadStore _payloads;
    private readonly PayloadIndexes _indexes;
    private Published _published;

    // The applier's own: what the next published state will hold.
    private IndexSchema _schema;
    private FieldSet _fields;
    private long _points;

    /// <summary>Makes an empty index.</summary>
    public PartitionIndex(IndexSchema schema)
    {
        _epochs = new EpochClock();
        _slots = new SlotTable(_epochs);
        _payloads = new PayloadStore();
        _indexes = new PayloadIndexes();
        _schema = schema;
        _fields = FieldSet.Create(schema, _epochs);
        foreach (var index in schema.PayloadIndexes)
            _indexes.Create(index, _payloads, []);
        _published = new Published(0, schema, _fields, 0, 0);
    }

    private PartitionIndex(EpochClock epochs, SlotTable slots, PayloadStore payloads, PayloadIndexes indexes, Published published)
    {
        (_epochs, _slots, _payloads, _indexes, _published) = (epochs, slots, payloads, indexes, published);
        (_schema, _fields, _points) = (published.Schema, published.Fields, published.Points);
    }

    /// <summary>The schema as of <see cref="AppliedOperation"/>.</summary>
    public IndexSchema Schema => Volatile.Read(ref _published).Schema;

    /// <summary>The newest operation that is applied, and so visible to every reader opened from now on.</summary>
    public long AppliedOperation => Volatile.Read(ref _published).Operation;

    /// <summary>Live points.</summary>
    public long PointCount => Volatile.Read(ref _published).Points;

    /// <summary>Applies one operation. Operations must come in order without gaps; a repeated one changes nothing.</summary>
    /// <param name="operation">Its number.</param>
    /// <param name="view">The operation.</param>
    /// <param name="poison">Why it cannot be applied, when the outcome is <see cref="ApplyOutcome.Poison"/>.</param>
    /// <exception cref="InvalidOperationException">An operation is missing before this one.</exception>
    /// <exception cref="GranaryException">The partition is full: the operation is not applied, and nothing is changed.</exception>
    public ApplyOutcome Apply(long operation, OperationView view, out string? poison)
    {
        poison = null;
        var applied = AppliedOperation;
        if (operation <= applied)
            return ApplyOutcome.AlreadyApplied;
        if (operation != applied + 1)
            throw new InvalidOperationException($"Operation {operation} cannot follow {applied}: those between are missing.");

        // All that can fail because of what the operation says is found out by Prepare, which changes nothing.
        var outcome = ApplyOutcome.Applied;
        try
        {
            Prepare(view);
        }
        catch (Exception e) when (IsPoison(e))
        {
            poison = e.Message;
            outcome = ApplyOutcome.Poison;
            _targets.Clear();
        }

        if (outcome == ApplyOutcome.Applied)
        {
            MakeRoom(view);
            Execute(operation, view);
        }

        MarkAdds(operation);
        Publish(operation);
        return outcome;
    }

    /// <summary>A consistent view as of <see cref="AppliedOperation"/>. Must be disposed; it holds memory back.</summary>
    public IndexReader OpenReader()
    {
        // The epoch first: whatever is published after it cannot be freed while the reader lives.
        var ticket = _epochs.Enter();
        return new IndexReader(NewView(), _epochs, ticket, this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It reads nothing that is freed here, and ends by itself.
        _closing.Cancel();
        _linking.Wait();
        foreach (var field in _fields.All)
            field.Dispose();
        foreach (var (field, _) in _dropped)
            field.Dispose();
        _dropped.Clear();
        _payloads.Dispose();
        _slots.Dispose();
        _linking.Release();
    }

    /// <summary>Slots taken or waiting to be taken again.</summary>
    internal int SlotCount => _slots.Count;

    /// <summary>The order of ids, for scrolling.</summary>
    internal IdOrder IdOrder { get; } = new();

    private View NewView() => new(Volatile.Read(ref _published), _slots, _payloads, _indexes);

    private void Publish(long operation) =>
        Volatile.Write(ref _published, new Published(operation, _schema, _fields, _points, _slots.Count));

    // What follows from the operation's bytes. Memory and I/O do not, nor does a fault of ours: those stop the replica.
    private static bool IsPoison(Exception e) =>
        e is GranaryException { Kind: not (ErrorKind.InsufficientStorage or ErrorKind.Internal) } or System.Text.Json.JsonException;
}
