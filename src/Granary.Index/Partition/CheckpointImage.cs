using System.Collections.Immutable;
using System.Globalization;
using Granary.Index.Checkpoints;
using Granary.Index.Partition;
using Granary.Index.Payload;

namespace Granary.Index;

/// <summary>
/// An image of an index as of one operation, in three steps: begun by any thread, frozen between two operations (which takes no longer
/// than copying a few lists), written by any thread while later operations are applied. Linking waits from the first step until the graphs
/// are written; nothing is reclaimed between freezing and disposing. Dispose it, whatever became of it.
/// </summary>
public sealed class CheckpointImage : IDisposable
{
    internal const string SlotSection = "slots";
    internal const string PayloadSection = "payload";
    internal const string IndexSection = "indexes";
    private readonly PartitionIndex _index;
    private FrozenIndex? _frozen;
    private int _graphs;
    private bool _holdsLinking = true;

    internal CheckpointImage(PartitionIndex index) => _index = index;

    /// <summary>Takes what is applied now. Called by the applying thread, or while it stands still. Returns the operation.</summary>
    public long Freeze()
    {
        if (_frozen is not null)
            throw new InvalidOperationException("The image was frozen before.");
        _frozen = _index.Freeze(OnGraphWritten);
        _graphs = _frozen.Graphs;
        if (_graphs == 0)
            ReleaseLinking();
        return _frozen.Operation;
    }

    /// <summary>Writes the image; searches, applying and, once the graphs are written, linking go on.</summary>
    public void Write(ICheckpointWriter writer, CancellationToken cancellation)
    {
        var frozen = _frozen ?? throw new InvalidOperationException("The image is not frozen.");
        var sections = new List<ManifestSection>();
        // Dense fields come first in a schema, so linking waits for them alone.
        for (var i = 0; i < frozen.Fields.Length; i++)
        {
            var field = frozen.Fields[i];
            Section(FieldSection(i), stream => field(stream, frozen.View));
        }

        Section(SlotSection, frozen.View.Save);
        Section(PayloadSection, stream => frozen.Payloads.Save(stream, frozen.View.Count, frozen.View.Has));
        Section(IndexSection, stream => PayloadIndexes.Save(stream, frozen.Indexes, frozen.View.Has));
        if (!frozen.Computed.IsEmpty)
            Section(Manifest.Computed, frozen.SaveComputed);
        using var manifest = writer.Create(Manifest.Name);
        new Manifest(frozen.Operation, frozen.Linked, SchemaJson.Write(frozen.Schema), sections).Write(manifest);

        void Section(string name, Action<Stream> save)
        {
            cancellation.ThrowIfCancellationRequested();
            using var blocks = new BlockWriter(name, writer.Create(name));
            save(blocks);
            sections.Add(blocks.Describe());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseLinking();
        if (_frozen is { } frozen)
            _index.Thaw(frozen);
        _frozen = null;
    }

    internal static string FieldSection(int position) => "field-" + position.ToString(CultureInfo.InvariantCulture);

    private void OnGraphWritten()
    {
        if (--_graphs == 0)
            ReleaseLinking();
    }

    private void ReleaseLinking()
    {
        if (!_holdsLinking)
            return;
        _holdsLinking = false;
        _index.ResumeLinking();
    }
}

/// <summary>What an image is written from.</summary>
internal sealed record FrozenIndex(
    long Operation, long Linked, IndexSchema Schema, ImageView View, PayloadStore Payloads, FrozenIndexes Indexes,
    ImmutableArray<FieldImage> Fields, int Graphs, ImmutableArray<(int Field, ComputedMarks Marks)> Computed, int Ticket)
{
    /// <summary>Writes the number of fields that have marks, then of each its position among all fields and the marks.</summary>
    public void SaveComputed(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Computed.Length);
        foreach (var (field, marks) in Computed)
        {
            writer.Write(field);
            marks.Save(writer, View.Count, View.Has);
        }
    }
}
