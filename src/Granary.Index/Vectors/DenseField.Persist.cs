using System.Buffers;
using System.Collections;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Granary.Index.Checkpoints;
using Granary.Index.Memory;

namespace Granary.Index.Vectors;

public sealed unsafe partial class DenseField
{
    private const uint Magic = 0x4656_4447; // "GDVF"
    private const int Version = 4;

    // Codes in place of the originals.
    private const int CodesOnly = 3;

    // Before, the originals began wherever the slots ended.
    private const int Unaligned = 2;
    private const int OriginalsAlignment = 64;

    // In version 1 the graph came after the vectors.
    private const int GraphLast = 1;

    /// <summary>Writes the field. Called by the applier while no <see cref="Link"/> runs; searches go on.</summary>
    public void Save(Stream stream) => Save(stream, Freeze(), SlotOf, static () => { });

    /// <summary>Takes the counts and the rows that wait to be linked. Called by the applier while no <see cref="Link"/> runs.</summary>
    internal Image Freeze()
    {
        var graph = _graph;
        var header = new Header
        {
            Magic = Magic,
            Version = KeepsOriginals ? Version : CodesOnly,
            Size = _size,
            Distance = (int)Schema.Distance,
            M = graph?.M ?? 0,
            Rows = _rowCount,
            UpperBlocks = graph?.UpperCount ?? 0,
            Pending = Pending,
            Added = _added,
            Linked = LinkedAdds,
            Entry = graph?.Entry ?? -1,
        };
        var pending = new int[header.Pending];
        for (var i = 0; i < pending.Length; i++)
            pending[i] = _queue[(header.Linked + i) & (_queue.Length - 1)];
        return new Image(header, pending);
    }

    /// <summary>
    /// Writes what was there when <paramref name="image"/> was taken, each row as of the slot it had. The image is little-endian: a header
    /// (<see cref="Header"/>), where there is a graph the rows not linked yet in the order of their adds, each row's node, the level-0
    /// lists and the upper lists, then the slot of each row and, from the next multiple of 64 bytes on, the vectors, of which codes are
    /// made anew on loading, or where only these are kept the codes. The applier may go on, as long
    /// as it removes no row that had a slot and none is used again; <see cref="Link"/> must not run before
    /// <paramref name="graphWritten"/> was called.
    /// </summary>
    internal void Save(Stream stream, Image image, Func<int, int> slotOf, Action graphWritten)
    {
        var header = image.Header;
        stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<Header>(in header)));
        if (_graph is { } graph)
        {
            stream.Write(MemoryMarshal.AsBytes(image.Pending.AsSpan()));
            WriteNodes(stream, image, graph);
            WriteRows(stream, header.Rows, graph.BaseLinks * sizeof(int), row => (byte*)graph.Links(row));
            WriteRows(stream, header.UpperBlocks, graph.M * sizeof(int), block => (byte*)graph.UpperBlock(block));
        }

        graphWritten();
        for (var row = 0; row < header.Rows; row++)
        {
            var slot = slotOf(row);
            stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in slot)));
        }

        if (_vectors is not null)
        {
            stream.Write(stackalloc byte[Padding(header)]);
            WriteRows(stream, header.Rows, _size * sizeof(float), ReadAhead);
        }

        for (var row = 0; _vectors is null && row < header.Rows; row++)
            StoredCode.Write(_codes!.Row(row), _size, stream);
    }

    // A row that was free and was taken since waits to be linked, but not in the image.
    private static void WriteNodes(Stream stream, Image image, Graph graph)
    {
        var waits = new BitArray(image.Header.Rows);
        foreach (var row in image.Pending)
            waits[row] = true;
        for (var row = 0; row < waits.Length; row++)
        {
            var node = graph.At(row);
            if (node.State == RowState.Pending && !waits[row])
                node.State = RowState.Free;
            node.Apart = 0;
            stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<Graph.Node>(in node)));
        }
    }

    /// <summary>Reads what <see cref="Save(Stream)"/> wrote. Removed rows are repaired around and reused as before.</summary>
    /// <exception cref="GranaryException">The data is damaged, newer, or of another schema.</exception>
    public static DenseField Load(Stream stream, DenseVectorSchema schema, EpochClock epochs) => Load(stream, schema, epochs, () => null);

    /// <summary>
    /// The same; where the schema wants the originals on disk they are read through once, which checks them, and then served from the
    /// section that <paramref name="map"/> gives, if any.
    /// </summary>
    internal static DenseField Load(Stream stream, DenseVectorSchema schema, EpochClock epochs, Func<MappedSection?> map)
    {
        var field = new DenseField(schema, epochs);
        try
        {
            field.Read(stream, map);
            return field;
        }
        catch (EndOfStreamException e)
        {
            field.Dispose();
            throw new GranaryException(ErrorKind.Corrupted, $"vectors.{schema.Name}: the data ends too soon", e);
        }
        catch
        {
            field.Dispose();
            throw;
        }
    }

    private delegate byte* RowAddress(int row);

    private static void WriteRows(Stream stream, int count, int stride, RowAddress address) =>
        Transfer(count, stride, address, write: true, stream);

    // Rows that follow each other in memory go in one call; a chunk's end begins another.
    private static void Transfer(int count, int stride, RowAddress address, bool write, Stream stream)
    {
        for (var row = 0; row < count;)
        {
            var start = address(row);
            var next = row + 1;
            while (next < count && (next - row) * (long)stride < (1 << 22) && address(next) == start + ((next - row) * (long)stride))
                next++;
            var bytes = new Span<byte>(start, (next - row) * stride);
            if (write)
                stream.Write(bytes);
            else
                stream.ReadExactly(bytes);
            row = next;
        }
    }

    private static void ReadRows(Stream stream, int count, int stride, RowAddress address) =>
        Transfer(count, stride, address, write: false, stream);

    private void Read(Stream stream, Func<MappedSection?> map)
    {
        Header header = default;
        stream.ReadExactly(MemoryMarshal.AsBytes(new Span<Header>(ref header)));
        FieldFormat.Check(Schema, header.Magic, Magic, header.Version, Version);
        FieldFormat.CheckEqual(Schema, "storage int8", KeepsOriginals ? 0 : 1, header.Version == CodesOnly ? 1 : 0);
        FieldFormat.CheckEqual(Schema, "size", _size, header.Size);
        FieldFormat.CheckEqual(Schema, "distance", (int)Schema.Distance, header.Distance);
        FieldFormat.CheckEqual(Schema, "hnsw_config.m", _graph?.M ?? 0, header.M);
        if (header.Rows < 0 || header.UpperBlocks < 0 || header.Pending < 0 || header.Added - header.Linked != header.Pending)
            throw new GranaryException(ErrorKind.Corrupted, $"vectors.{Schema.Name}: the header of the data contradicts itself");
        var mapped = MapOriginals(header, map);
        EnsureRows(header.Rows);
        _rowCount = header.Rows;
        _added = header.Added;
        _linked = header.Linked;
        if (_graph is not null && header.Version > GraphLast)
            ReadGraph(stream, header, _graph);
        ReadRows(stream, header.Rows, sizeof(int), _slots.Row);
        ReadVectors(stream, header, mapped);
        if (_graph is not null && header.Version <= GraphLast)
            ReadGraph(stream, header, _graph);
        for (var row = 0; row < _rowCount; row++)
        {
            if (SlotOf(row) >= 0)
                _live++;
            if (_codes is not null && _vectors is not null && row >= mapped)
                Encode(new ReadOnlySpan<float>(_vectors.Row(row), _size), _codes.Row(row));
            RestoreState(row);
        }
    }

    private void ReadVectors(Stream stream, in Header header, int mapped)
    {
        if (_vectors is not null)
        {
            if (header.Version > Unaligned)
                stream.ReadExactly(stackalloc byte[Padding(header)]);
            ReadMapped(stream, mapped);
            ReadRows(stream, header.Rows - mapped, _size * sizeof(float), row => _vectors.Row(mapped + row));
            return;
        }

        var codes = new byte[_size + 16];
        for (var row = 0; row < header.Rows; row++)
        {
            StoredCode.Read(stream, _size, codes, Scratch());
            Encode(new ReadOnlySpan<float>(Scratch(), _size), _codes!.Row(row));
        }
    }

    private void EnsureRows(int count)
    {
        if (count == 0)
            return;
        _slots.Ensure(count - 1);
        _vectors?.Ensure(count - 1);
        _codes?.Ensure(count - 1);
        _graph?.EnsureRow(count - 1);
    }

    private void ReadGraph(Stream stream, in Header header, Graph graph)
    {
        while (_queue.Length < header.Pending)
            _queue = new int[_queue.Length * 2];
        var pending = ArrayPool<int>.Shared.Rent(header.Pending);
        stream.ReadExactly(MemoryMarshal.AsBytes(pending.AsSpan(0, header.Pending)));
        for (var i = 0; i < header.Pending; i++)
            _queue[(header.Linked + i) & (_queue.Length - 1)] = CheckRow(pending[i]);
        ArrayPool<int>.Shared.Return(pending);
        ReadRows(stream, header.Rows, sizeof(Graph.Node), row => (byte*)Unsafe.AsPointer(ref graph.At(row)));
        ReadRows(stream, header.Rows, graph.BaseLinks * sizeof(int), row => (byte*)graph.Links(row));
        graph.EnsureUpper(header.UpperBlocks);
        ReadRows(stream, header.UpperBlocks, graph.M * sizeof(int), block => (byte*)graph.UpperBlock(block));
        for (var row = 0; row < header.Rows; row++)
            CheckNode(row, header.UpperBlocks);
        if (header.Entry >= 0)
            CheckRow(Graph.EntryRow(header.Entry));
        graph.Entry = header.Entry;
    }

    // Ids are followed without a check, so none that is no row may come in.
    private void CheckNode(int row, int upperBlocks)
    {
        ref var node = ref _graph!.At(row);
        node.Apart = 0;
        if (node.State > RowState.Dead || (node.Level > 0 && (node.Upper < 0 || node.Upper > upperBlocks - node.Level)))
            throw new GranaryException(ErrorKind.Corrupted,
                $"vectors.{Schema.Name}: row {row} has level {node.Level} and upper lists at {node.Upper}");
        for (var level = 0; level <= node.Level; level++)
        {
            var links = _graph.Links(row, level);
            for (var i = 0; i < _graph.Width(level); i++)
            {
                if (links[i] != Graph.None && _graph.Level(CheckRow(links[i])) < level)
                    throw new GranaryException(ErrorKind.Corrupted,
                        $"vectors.{Schema.Name}: row {row} links to {links[i]} on level {level}");
            }
        }
    }

    private int CheckRow(int row) => (uint)row < (uint)_rowCount
        ? row
        : throw new GranaryException(ErrorKind.Corrupted, $"vectors.{Schema.Name}: a link leads to row {row} of {_rowCount}");

    private void RestoreState(int row)
    {
        if (_graph is null)
        {
            if (SlotOf(row) < 0)
                _free.Enqueue((row, 0));
            return;
        }

        switch (_graph.State(row))
        {
            case RowState.Free:
                _free.Enqueue((row, 0));
                break;
            case RowState.Linked or RowState.Dead:
                // A sweep that was under way begins again.
                _inGraph++;
                _graph.SetState(row, RowState.Linked);
                if (SlotOf(row) < 0)
                    Bury(row);
                break;
        }
    }

    /// <summary>What was there at one moment.</summary>
    internal sealed record Image(Header Header, int[] Pending);

    /// <summary>What an image begins with.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    internal struct Header
    {
        public uint Magic;
        public int Version;
        public int Size;
        public int Distance;
        public int M;
        public int Rows;
        public int UpperBlocks;
        public int Pending;
        public long Added;
        public long Linked;
        public long Entry;
    }
}
