using System.Runtime.InteropServices;
using Granary.Index.Checkpoints;

namespace Granary.Index.Vectors;

/// <content>Originals that are served from the mapped file of a checkpoint.</content>
public sealed unsafe partial class DenseField
{
    // How much is compared and moved while nothing is applied: about a millisecond.
    private const long MovedAtOnce = 4 << 20;
    private const int ReadAheadBytes = 1 << 20;

    /// <summary>Bytes of originals in mapped files, which <see cref="Bytes"/> does not count.</summary>
    public long MappedBytes => _vectors?.MappedBytes ?? 0;

    /// <summary>Whether memory or a file is left behind by originals that moved.</summary>
    internal bool HasLeaving => _vectors is { HasLeaving: true };

    /// <summary>
    /// Frees what originals that moved left behind, where no reader is in it any more. Called while no <see cref="Link"/> runs, by one
    /// thread at a time.
    /// </summary>
    internal void ReleaseLeaving() => _vectors?.Release(_epochs);

    /// <summary>
    /// Begins to serve the originals from a mapped image of this field, which was checked. Null, and the section is disposed, when it is
    /// none whose originals could be.
    /// </summary>
    internal OriginalsMove? BeginMove(MappedSection section)
    {
        Header header = default;
        if (_vectors is not null && section.IsFile && section.Length >= sizeof(Header))
            header = MemoryMarshal.Read<Header>(new ReadOnlySpan<byte>(section.Pointer, sizeof(Header)));
        if (header.Magic == Magic && header.Version == Version && header.Size == _size && header.Distance == (int)Schema.Distance
            && header.M == (_graph?.M ?? 0))
        {
            var offset = OriginalsAt(header);
            var chunks = _vectors!.ChunksIn(section, offset, Math.Min(header.Rows, RowCapacity));
            if (chunks > 0)
                return new OriginalsMove(this, section, offset, chunks);
        }

        section.Dispose();
        return null;
    }

    // Where the image has the first original.
    private long OriginalsAt(in Header header) => SlotsEnd(header) + Padding(header);

    private int Padding(in Header header) => (int)(-SlotsEnd(header) & (OriginalsAlignment - 1));

    private long SlotsEnd(in Header header)
    {
        var end = sizeof(Header) + (header.Rows * (long)sizeof(int));
        if (_graph is { } graph)
        {
            end += (header.Pending * (long)sizeof(int)) + (header.Rows * ((long)sizeof(Graph.Node) + (graph.BaseLinks * sizeof(int))))
                + (header.UpperBlocks * (long)graph.M * sizeof(int));
        }

        return end;
    }

    private int MapOriginals(in Header header, Func<MappedSection?> map)
    {
        if (!Schema.OnDisk || _vectors is null || header.Version != Version || map() is not { } section)
            return 0;
        if (section.IsFile)
            return _vectors.BeginWith(section, OriginalsAt(header), header.Rows);
        section.Dispose();
        return 0;
    }

    // Codes are made of the bytes that were checked; the pages of the mapping are not touched.
    private void ReadMapped(Stream stream, int rows)
    {
        var row = new Span<float>(Scratch(), _size);
        for (var i = 0; i < rows; i++)
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(row));
            if (_codes is not null)
                Encode(row, _codes.Row(i));
        }
    }

    // So many rows are asked for at once where all are read in order; none where none is in a file.
    private int ReadAheadRows => MappedBytes > 0 ? Math.Max(1, ReadAheadBytes / (_size * sizeof(float))) : int.MaxValue;

    // Asked of one row after the other, long before they are read.
    private byte* ReadAhead(int row)
    {
        if (row % ReadAheadRows == 0)
            _vectors!.WillNeed(row, ReadAheadRows);
        return _vectors!.Row(row);
    }

    /// <summary>The originals of a field on their way into a mapped file. Dispose it, whatever became of it.</summary>
    internal sealed class OriginalsMove(DenseField of, MappedSection section, long offset, int chunks) : IDisposable
    {
        private bool _owned;
        private int _next;

        /// <summary>The field.</summary>
        public DenseField Of => of;

        /// <summary>Moves some more; false when all are there. Called by the applier, or while it stands still.</summary>
        public bool Step()
        {
            var vectors = of._vectors!;
            if (!_owned)
                vectors.Own(section);
            _owned = true;
            var end = Math.Min(chunks, _next + (int)Math.Max(1, MovedAtOnce / vectors.ChunkBytes));
            for (; _next < end; _next++)
                vectors.MoveChunk(_next, section.Pointer + offset + (_next * vectors.ChunkBytes));
            var all = _next == chunks;
            vectors.Retire(of._epochs.Retire(), all && vectors.MappedBytes <= chunks * vectors.ChunkBytes ? section : null);
            return !all;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (!_owned)
                section.Dispose();
        }
    }
}
