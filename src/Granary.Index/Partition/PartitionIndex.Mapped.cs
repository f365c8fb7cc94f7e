using Granary.Index.Checkpoints;
using Granary.Index.Vectors;

namespace Granary.Index;

/// <content>Originals of dense vectors that the schema wants on disk move into the mapped files of a new checkpoint.</content>
public sealed partial class PartitionIndex
{
    /// <summary>
    /// Prepares to serve originals from an image of this index, which was read back and has its checksums. Null where no field wants it, or
    /// the storage has no files to map. Called by any thread while the index lives.
    /// </summary>
    public MappingOriginals? MapOriginals(ICheckpointReader reader)
    {
        var published = Volatile.Read(ref _published);
        if (!published.Schema.Dense.Any(d => d.OnDisk))
            return null;
        Manifest manifest;
        using (var stream = reader.Open(Manifest.Name))
            manifest = Manifest.Read(stream);
        var written = SchemaJson.ReadSchema(manifest.Schema).Dense;
        var moves = new List<DenseField.OriginalsMove>();
        foreach (var column in published.Fields.Dense)
        {
            var position = written.IndexOf(written.FirstOrDefault(d => d.Name == column.Name)!);
            if (published.Schema.FindDense(column.Name) is { OnDisk: true } && position >= 0 && !written[position].MultiVector
                && reader.TryMap(CheckpointImage.FieldSection(position)) is { } section && column.Vectors.BeginMove(section) is { } move)
                moves.Add(move);
        }

        return moves.Count > 0 ? new MappingOriginals(this, moves) : null;
    }

    /// <summary>
    /// Gives back what originals that moved left behind, as far as readers allow it; the rest goes with <see cref="Reclaim"/>.
    /// </summary>
    public void ReleaseMoved(CancellationToken cancellation)
    {
        _linking.Wait(cancellation);
        try
        {
            ReleaseLeaving();
        }
        finally
        {
            _linking.Release();
        }
    }

    internal bool Has(DenseField field) => _fields.Dense.Any(column => column.Vectors == field);

    private bool HasLeaving => _fields.Dense.Any(column => column.Vectors.HasLeaving);

    // Linking reads originals without an epoch, and so does not run now.
    private void ReleaseLeaving()
    {
        foreach (var column in Volatile.Read(ref _published).Fields.Dense)
            column.Vectors.ReleaseLeaving();
    }
}

/// <summary>Originals on their way into the files of a checkpoint, a few at a time. Dispose it, whatever became of it.</summary>
public sealed class MappingOriginals : IDisposable
{
    private readonly PartitionIndex _index;
    private readonly List<DenseField.OriginalsMove> _moves;

    internal MappingOriginals(PartitionIndex index, List<DenseField.OriginalsMove> moves) => (_index, _moves) = (index, moves);

    /// <summary>Moves some; false when there are no more. Called by the applying thread, or while it stands still.</summary>
    public bool Step()
    {
        while (_moves.Count > 0)
        {
            var move = _moves[0];
            // A change of the schema may have dropped the field.
            if (_index.Has(move.Of) && move.Step())
                return true;
            move.Dispose();
            _moves.RemoveAt(0);
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var move in _moves)
            move.Dispose();
        _moves.Clear();
    }
}
