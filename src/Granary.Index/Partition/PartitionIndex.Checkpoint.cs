using System.Collections.Immutable;
using Granary.Index.Checkpoints;
using Granary.Index.Memory;
using Granary.Index.Partition;
using Granary.Index.Payload;

namespace Granary.Index;

/// <content>Images: a section each for slots, payloads, payload indexes and every field, and the manifest at the end.</content>
public sealed partial class PartitionIndex
{
    // Images that are being written. What is dead when the first of them is frozen is not released before the last is disposed.
    private int _images;

    /// <summary>Writes an image of the index. Called by the applying thread between operations; searches go on.</summary>
    public void WriteCheckpoint(ICheckpointWriter writer, CancellationToken cancellation)
    {
        using var image = BeginCheckpoint(cancellation);
        image.Freeze();
        image.Write(writer, cancellation);
    }

    /// <summary>Begins an image: waits for the rows that are being linked, and holds back the next.</summary>
    public CheckpointImage BeginCheckpoint(CancellationToken cancellation)
    {
        _linking.Wait(cancellation);
        return new CheckpointImage(this);
    }

    /// <summary>Takes what is applied now; linking is held back. Called by the applying thread.</summary>
    internal FrozenIndex Freeze(Action graphWritten)
    {
        var published = _published;
        var view = new ImageView(_slots, published.Operation, published.SlotBound, graphWritten);
        var fields = _fields.All.Select(f => f.Freeze()).ToImmutableArray();
        // The epoch keeps rows that are freed meanwhile from being used again; see Reclaim for what was dead before.
        var frozen = new FrozenIndex(
            published.Operation, LinkedOperation, published.Schema, view, _payloads, _indexes.Freeze(), fields, _fields.Dense.Length,
            [.. Enumerable.Range(0, fields.Length).Where(i => _fields.All[i] is DenseColumn { Computed.IsEmpty: false })
                .Select(i => (i, ((DenseColumn)_fields.All[i]).Computed))],
            _epochs.Enter());
        Interlocked.Increment(ref _images);
        return frozen;
    }

    internal void Thaw(FrozenIndex frozen)
    {
        Interlocked.Decrement(ref _images);
        _epochs.Exit(frozen.Ticket);
    }

    internal void ResumeLinking() => _linking.Release();

    /// <summary>
    /// Opens an image written by <see cref="WriteCheckpoint"/>. All of it is read and compared with its checksums; of vectors whose schema
    /// says so the originals are then served from the section where the reader can map it, which stays mapped as long as they are.
    /// </summary>
    /// <exception cref="GranaryException">A block does not have its checksum, or the format is newer than this version's.</exception>
    public static PartitionIndex ReadCheckpoint(ICheckpointReader reader)
    {
        Manifest manifest;
        using (var stream = reader.Open(Manifest.Name))
            manifest = Manifest.Read(stream);
        var schema = SchemaJson.ReadSchema(manifest.Schema);
        var epochs = new EpochClock();
        var slots = Read(CheckpointImage.SlotSection, stream => SlotTable.Load(stream, epochs));
        var payloads = Read(CheckpointImage.PayloadSection, PayloadStore.Load);
        var indexes = Read(CheckpointImage.IndexSection, PayloadIndexes.Load);
        var fields = FieldSet.Load(
            schema, epochs, position => Open(CheckpointImage.FieldSection(position)),
            position => reader.TryMap(CheckpointImage.FieldSection(position)));
        foreach (var field in fields.All)
            field.Restore(slots);
        if (manifest.Has(Manifest.Computed))
            Read(Manifest.Computed, stream => LoadComputed(stream, fields, slots.Count));
        foreach (var field in fields.Dense)
            field.MarkPending(manifest.LinkedOperation + 1);
        var published = new Published(manifest.Operation, schema, fields, slots.LiveCount, slots.Count);
        var index = new PartitionIndex(epochs, slots, payloads, indexes, published);
        index.ReleaseDead();
        return index;

        Stream Open(string section) => new BlockReader(manifest.Find(section), reader.Open(section));

        T Read<T>(string section, Func<Stream, T> load)
        {
            using var stream = Open(section);
            try
            {
                return load(stream);
            }
            catch (EndOfStreamException)
            {
                throw Manifest.Damaged(section, stream.Position, "it ends there, more was expected");
            }
        }
    }

    private static int LoadComputed(Stream stream, FieldSet fields, int slots)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        var count = reader.ReadInt32();
        for (var i = 0; i < count; i++)
        {
            var position = reader.ReadInt32();
            if (position < 0 || position >= fields.All.Length || fields.All[position] is not DenseColumn field)
                throw Manifest.Damaged(Manifest.Computed, stream.Position, $"field {position} is not a dense vector");
            field.Computed.Load(reader, Manifest.Computed, slots);
        }

        return count;
    }

    // No reader of this index has seen what was dead when the image was written.
    private void ReleaseDead()
    {
        for (var slot = 0; slot < _slots.Count; slot++)
        {
            if (_slots.IsTaken(slot) && !_slots.IsLive(slot))
                Release(slot);
        }
    }
}
