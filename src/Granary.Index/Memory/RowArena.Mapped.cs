using System.Collections.Concurrent;
using Granary.Index.Checkpoints;

namespace Granary.Index.Memory;

/// <content>
/// Chunks in mapped files. A chunk is in memory or in a section of a checkpoint that is mapped copy-on-write: a row that is written there
/// gets pages of its own, and the file stays as it is. What is left behind is freed when no reader can be in it any more.
/// </content>
internal sealed unsafe partial class RowArena
{
    private readonly List<MappedSection> _sections = [];
    private readonly ConcurrentQueue<Leaving> _leaving = new();
    private readonly ConcurrentQueue<nint> _free = new();

    // Chunks of memory that were moved and not told of yet.
    private readonly List<nint> _moved = [];
    private int _mapped;

    /// <summary>Bytes of the rows that are in mapped files.</summary>
    public long MappedBytes => Volatile.Read(ref _mapped) * ChunkBytes;

    /// <summary>Whether something was left behind by <see cref="MoveChunk"/> and not freed yet.</summary>
    public bool HasLeaving => !_leaving.IsEmpty;

    /// <summary>
    /// How many chunks a section can serve that has so many rows from <paramref name="offset"/> on: whole ones, behind which there are as
    /// many bytes more as kernels may read.
    /// </summary>
    public int ChunksIn(MappedSection section, long offset, int rows) =>
        (int)Math.Min(rows >> _shift, Math.Max(0, section.Length - offset - Alignment) / ChunkBytes);

    /// <summary>Begins an empty arena with the rows of a section, which it owns from now on; returns how many rows.</summary>
    public int BeginWith(MappedSection section, long offset, int rows)
    {
        var chunks = ChunksIn(section, offset, rows);
        if (chunks == 0)
        {
            section.Dispose();
            return 0;
        }

        Own(section);
        if (chunks > _tableLength)
            GrowTable(chunks);
        for (; _chunks < chunks; _chunks++)
            _table[_chunks] = section.Pointer + offset + (_chunks * ChunkBytes);
        _mapped = chunks;
        return chunks << _shift;
    }

    /// <summary>Owns a section: it is disposed with the arena, or when others have taken its place.</summary>
    public void Own(MappedSection section) => _sections.Add(section);

    /// <summary>
    /// Takes a chunk's rows from <paramref name="mapped"/> in future. Rows that differ are written there first. No row may be written
    /// meanwhile; they may be read. What the chunk was until now is freed by <see cref="Release"/>.
    /// </summary>
    public void MoveChunk(int chunk, byte* mapped)
    {
        var before = _table[chunk];
        var length = (int)ChunkBytes;
        if (!new ReadOnlySpan<byte>(before, length).SequenceEqual(new ReadOnlySpan<byte>(mapped, length)))
        {
            for (var at = 0; at < length; at += Stride)
            {
                var row = new ReadOnlySpan<byte>(before + at, Stride);
                if (!row.SequenceEqual(new ReadOnlySpan<byte>(mapped + at, Stride)))
                    row.CopyTo(new Span<byte>(mapped + at, Stride));
            }
        }

        // A reader sees the contents with the place.
        Volatile.Write(ref *(nint*)(_table + chunk), (nint)mapped);
        if (chunk < _mapped)
            return;
        _mapped = chunk + 1;
        _moved.Add((nint)before);
    }

    /// <summary>
    /// Says that the chunks moved up to now can be reached by readers up to <paramref name="tag"/> only; with <paramref name="whole"/>,
    /// that all mapped chunks are in this section, and the sections before it can go.
    /// </summary>
    public void Retire(long tag, MappedSection? whole)
    {
        foreach (var chunk in _moved)
            _leaving.Enqueue(new Leaving(tag, chunk, null));
        _moved.Clear();
        if (whole is null)
            return;
        foreach (var section in _sections)
        {
            if (section != whole)
                _leaving.Enqueue(new Leaving(tag, 0, section));
        }

        _sections.RemoveAll(section => section != whole);
    }

    /// <summary>
    /// Frees what was left behind and no reader is in any more. One caller at a time, and none that reads rows without an epoch.
    /// </summary>
    public void Release(EpochClock epochs)
    {
        while (_leaving.TryPeek(out var oldest) && epochs.HasPassed(oldest.Tag) && _leaving.TryDequeue(out oldest))
        {
            oldest.Section?.Dispose();
            if (oldest.Chunk == 0)
                continue;
            // The chunk is a part of a slab, which is freed with the arena: its address is used for the next one.
            PageAdvice.Discard((byte*)oldest.Chunk, ChunkBytes);
            _free.Enqueue(oldest.Chunk);
        }
    }

    /// <summary>Asks for rows in a mapped file to be read ahead.</summary>
    public void WillNeed(int row, int count)
    {
        if (_mapped == 0)
            return;
        var end = (int)Math.Min((long)row + count, (long)_mapped << _shift);
        while (row < end)
        {
            var next = Math.Min(end, ((row >> _shift) + 1) << _shift);
            PageAdvice.WillNeed(Row(row), (next - row) * (long)Stride);
            row = next;
        }
    }

    private void FreeSections()
    {
        foreach (var section in _sections)
            section.Dispose();
        _sections.Clear();
        while (_leaving.TryDequeue(out var leaving))
            leaving.Section?.Dispose();
    }

    /// <summary>Memory or a section, and until when readers may be in it.</summary>
    private readonly record struct Leaving(long Tag, nint Chunk, MappedSection? Section);
}
