using System.Globalization;
using Granary.Index.Checkpoints;
using Granary.Index.Memory;
using Granary.Index.Partition;
using Granary.Index.Payload;

namespace Granary.Index;

/// <content>Images: a section each for slots, payloads, payload indexes and every field, and the manifest at the end.</content>
public sealed partial class PartitionIndex
{
    private const string SlotSection = "slots";
    private const string PayloadSection = "payload";
    private const string IndexSection = "indexes";
    private const string ComputedSection = Manifest.Computed;

    /// <summary>Writes an image of the index. Called by the applying thread between operations; searches go on.</summary>
    public void WriteCheckpoint(ICheckpointWriter writer, CancellationToken cancellation)
    {
        var sections = new List<ManifestSection>();
        lock (_linking)
        {
            // Read before the fields are: what is linked later only makes the image better than it says.
            var linked = LinkedOperation;
            Write(SlotSection, _slots.Save);
            Write(PayloadSection, _payloads.Save);
            Write(IndexSection, _indexes.Save);
            for (var i = 0; i < _fields.All.Length; i++)
                Write(FieldSection(i), _fields.All[i].Save);
            if (_fields.Dense.Any(d => !d.Computed.IsEmpty))
                Write(ComputedSection, SaveComputed);
            using var stream = writer.Create(Manifest.Name);
            new Manifest(AppliedOperation, linked, SchemaJson.Write(_schema), sections).Write(stream);
        }

        void Write(string name, Action<Stream> save)
        {
            cancellation.ThrowIfCancellationRequested();
            using var blocks = new BlockWriter(name, new BufferedStream(writer.Create(name), 1 << 16));
            save(blocks);
            blocks.Flush();
            sections.Add(blocks.Describe());
        }
    }

    /// <summary>Opens an image written by <see cref="WriteCheckpoint"/>.</summary>
    /// <exception cref="GranaryException">A block does not have its checksum, or the format is newer than this version's.</exception>
    public static PartitionIndex ReadCheckpoint(ICheckpointReader reader)
    {
        Manifest manifest;
        using (var stream = reader.Open(Manifest.Name))
            manifest = Manifest.Read(stream);
        var schema = SchemaJson.ReadSchema(manifest.Schema);
        var epochs = new EpochClock();
        var slots = Read(SlotSection, stream => SlotTable.Load(stream, epochs));
        var payloads = Read(PayloadSection, PayloadStore.Load);
        var indexes = Read(IndexSection, PayloadIndexes.Load);
        var fields = FieldSet.Load(schema, epochs, position => Open(FieldSection(position)));
        foreach (var field in fields.All)
            field.Restore(slots);
        if (manifest.Has(ComputedSection))
            Read(ComputedSection, stream => LoadComputed(stream, fields, slots.Count));
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

    // The number of fields that have marks, then of each its position among all fields and the marks.
    private void SaveComputed(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(_fields.Dense.Count(d => !d.Computed.IsEmpty));
        for (var i = 0; i < _fields.All.Length; i++)
        {
            if (_fields.All[i] is not DenseColumn { Computed.IsEmpty: false } field)
                continue;
            writer.Write(i);
            field.Computed.Save(writer, _slots.Count);
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
                throw Manifest.Damaged(ComputedSection, stream.Position, $"field {position} is not a dense vector");
            field.Computed.Load(reader, ComputedSection, slots);
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

    private static string FieldSection(int position) => "field-" + position.ToString(CultureInfo.InvariantCulture);
}
