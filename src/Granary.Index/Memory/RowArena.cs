using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Granary.Index.Memory;

/// <summary>
/// Rows of equal length in unmanaged, 64-byte aligned chunks. It grows without moving a row, so readers need no locks.
/// One thread at a time grows it; a row may be read by any thread that learnt of the row after <see cref="Ensure"/> returned.
/// </summary>
internal sealed unsafe class RowArena : IDisposable
{
    private const int ChunkTarget = 1 << 20;
    private const int Alignment = 64;

    // From so many bytes on, chunks are taken several at a time, in large pages.
    private const long SlabFrom = 2 << 20;
    private const int SlabShare = 8;

    private readonly List<nint> _slabs = [];

    // Tables that were outgrown; a reader may still hold one, and they are tiny, so they live as long as the arena.
    private readonly List<nint> _outgrown = [];
    private readonly int _shift;
    private readonly int _mask;
    private byte** _table;
    private int _tableLength = 16;
    private int _chunks;
    private byte* _spare;
    private int _spareChunks;

    /// <summary>Makes an empty arena of rows of <paramref name="stride"/> bytes.</summary>
    public RowArena(int stride)
    {
        Stride = stride;
        var rows = Math.Max(1, ChunkTarget / stride);
        _shift = BitOperations.Log2((uint)rows);
        _mask = (1 << _shift) - 1;
        _table = (byte**)NativeMemory.AllocZeroed((nuint)_tableLength, (nuint)sizeof(byte*));
    }

    ~RowArena() => Free();

    /// <summary>Bytes a row.</summary>
    public int Stride { get; }

    /// <summary>Rows that have memory.</summary>
    public int Capacity => _chunks << _shift;

    /// <summary>Bytes taken from the system.</summary>
    public long Bytes => (long)_chunks * ChunkBytes;

    private long ChunkBytes => (long)Stride << _shift;

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
        if (_spareChunks == 0)
        {
            if (Bytes < SlabFrom)
                return Keep(NativeMemory.AlignedAlloc((nuint)ChunkBytes + Alignment, Alignment));

            // Whole large pages, as many chunks as they hold: at least two pages, and an eighth of what there is.
            var bytes = LargePages.RoundUp(Math.Max(2 * LargePages.Size, Bytes / SlabShare) + Alignment);
            _spareChunks = (int)((bytes - Alignment) / ChunkBytes);
            _spare = Keep(NativeMemory.AlignedAlloc((nuint)bytes, LargePages.Size));
            LargePages.Advise(_spare, bytes);
        }

        var chunk = _spare;
        _spare += ChunkBytes;
        _spareChunks--;
        return chunk;
    }

    private byte* Keep(void* memory)
    {
        _slabs.Add((nint)memory);
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
        NativeMemory.Free(_table);
        foreach (var table in _outgrown)
            NativeMemory.Free((void*)table);
        _table = null;
        _chunks = 0;
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
