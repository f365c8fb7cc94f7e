using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Granary.Index.Memory;

/// <summary>
/// Rows of equal length in unmanaged chunks, which begin at multiples of 64 bytes. It grows without moving a row, so readers need no locks.
/// One thread at a time grows it; a row may be read by any thread that learnt of the row after <see cref="Ensure"/> returned.
/// </summary>
internal sealed unsafe partial class RowArena : IDisposable
{
    // The last chunk is on average half empty: of short rows a chunk holds not more than so many.
    private const int ChunkTarget = 1 << 18;
    private const int ChunkRows = 1 << 11;
    private const int Alignment = 64;

    // From so many bytes on, chunks are taken several at a time, in large pages.
    private const long SlabFrom = 2 << 20;
    private const int SlabShare = 8;

    private readonly List<nint> _slabs = [];

    // Tables that were outgrown; a reader may still hold one, and they are tiny, so they live as long as the arena.
    private readonly List<nint> _outgrown = [];
    private readonly Func<nuint, nuint, nint> _allocate;
    private readonly int _shift;
    private readonly int _mask;
    private byte** _table;
    private int _tableLength = 16;
    private int _chunks;
    private byte* _spare;
    private byte* _small;
    private int _spareChunks;

    /// <summary>Makes an empty arena of rows of <paramref name="stride"/> bytes.</summary>
    public RowArena(int stride)
        : this(stride, static (bytes, alignment) => (nint)NativeMemory.AlignedAlloc(bytes, alignment))
    {
    }

    /// <summary>Takes memory by <paramref name="allocate"/> (bytes, alignment); <see cref="NativeMemory.AlignedFree"/> frees it.</summary>
    internal RowArena(int stride, Func<nuint, nuint, nint> allocate)
    {
        Stride = stride;
        _allocate = allocate;
        var rows = Math.Clamp(ChunkTarget / stride, 1, ChunkRows);
        _shift = BitOperations.Log2((uint)rows);
        _mask = (1 << _shift) - 1;
        _table = (byte**)NativeMemory.AllocZeroed((nuint)_tableLength, (nuint)sizeof(byte*));
    }

    ~RowArena() => Free();

    /// <summary>Bytes a row.</summary>
    public int Stride { get; }

    /// <summary>Rows that have memory.</summary>
    public int Capacity => _chunks << _shift;

    /// <summary>
    /// Bytes of the rows that have memory. The system has given address space for more: up to three large pages, or an eighth; it becomes
    /// memory when rows are written there. Rows in mapped files are left out.
    /// </summary>
    public long Bytes => (_chunks - (long)_mapped) * ChunkBytes;

    /// <summary>Bytes of the rows of a chunk.</summary>
    public long ChunkBytes => (long)Stride << _shift;

    // From one chunk of a slab to the next.
    private long ChunkSpace => (ChunkBytes + Alignment - 1) & -Alignment;

    /// <summary>The first byte of a row. The row must be below <see cref="Capacity"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Row(int row) => _table[(uint)row >> _shift] + ((long)(row & _mask) * Stride);

    /// <summary>The rows that have memory now, for loops: what it needs stays in registers.</summary>
    public RowView View => new(_table, _shift, _mask, Stride);

    /// <summary>Makes sure that the row has memory; its contents are whatever they were.</summary>
    public void Ensure(int row)
    {
        var needed = (row >> _shift) + 1;
        if (needed > _tableLength)
            GrowTable(needed);
        while (_chunks < needed)
        {
            _table[_chunks] = TakeChunk();
            Volatile.Write(ref _chunks, _chunks + 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    // A few bytes more than the rows need: kernels may read a whole register at the last row's end.
    private byte* TakeChunk()
    {
        if (_free.TryDequeue(out var free))
            return (byte*)free;

        // Pages become large once all their rows are taken: as a large one, the last would be whole in memory with its first row.
        var used = (_spare - _small) & -(long)LargePages.Size;
        if (used > 0)
        {
            LargePages.Advise(_small, used);
            _small += used;
        }

        if (_spareChunks == 0)
        {
            if (Bytes < SlabFrom)
                return Allocate(ChunkBytes + Alignment, Alignment);

            // Whole large pages, as many chunks as they hold: three pages at least, and an eighth of what there is. Taken before it is
            // counted: an allocation that fails leaves the arena as it was.
            var bytes = LargePages.RoundUp(Math.Max(Math.Max(2 * LargePages.Size, ChunkSpace), Bytes / SlabShare) + Alignment);
            _spare = Allocate(bytes, LargePages.Size);
            _spareChunks = (int)((bytes - Alignment) / ChunkSpace);
            _small = _spare;
        }

        var chunk = _spare;
        _spare += ChunkSpace;
        _spareChunks--;
        return chunk;
    }

    private byte* Allocate(long bytes, int alignment)
    {
        // Room to note it first, so that nothing fails in between.
        _slabs.EnsureCapacity(_slabs.Count + 1);
        var memory = _allocate((nuint)bytes, (nuint)alignment);
        _slabs.Add(memory);
        return (byte*)memory;
    }

    private void GrowTable(int needed)
    {
        var length = Math.Max(needed, _tableLength * 2);
        var table = (byte**)NativeMemory.AllocZeroed((nuint)length, (nuint)sizeof(byte*));
        for (var i = 0; i < _chunks; i++)
            table[i] = _table[i];
        _outgrown.Add((nint)_table);
        Thread.MemoryBarrier();
        _table = table;
        _tableLength = length;
    }

    private void Free()
    {
        if (_table == null)
            return;
        foreach (var slab in _slabs)
            NativeMemory.AlignedFree((void*)slab);
        FreeSections();
        NativeMemory.Free(_table);
        foreach (var table in _outgrown)
            NativeMemory.Free((void*)table);
        _table = null;
        _chunks = 0;
        _mapped = 0;
        _spareChunks = 0;
    }
}

/// <summary>The rows an arena had when it was asked.</summary>
internal readonly unsafe struct RowView(byte** table, int shift, int mask, nint stride)
{
    private readonly byte** _table = table;
    private readonly nint _stride = stride;
    private readonly int _shift = shift;
    private readonly int _mask = mask;

    /// <summary>The first byte of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Row(int row) => _table[(uint)row >> _shift] + ((nint)(uint)(row & _mask) * _stride);
}
