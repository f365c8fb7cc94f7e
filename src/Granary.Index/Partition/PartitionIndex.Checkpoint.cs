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
