using System.Runtime.InteropServices;

namespace Granary.Index.Payload;

/// <summary>
/// Payloads by slot, UTF-8 JSON in unmanaged arenas: no object a point. One thread writes; any number read without locks, each only
/// slots whose epoch it holds.
/// </summary>
/// <remarks>
/// Blocks are cut from 1 MiB chunks in size classes (four a doubling) and reused by class; larger ones are allocated alone. A block is its
/// length (4 bytes), then the payload. A slot's reference is the block's address, 0 for none: 8 bytes a slot, in pages that never move
/// and are made when a slot of theirs has a payload.
/// </remarks>
public sealed unsafe partial class PayloadStore : IDisposable
{
    private const int ChunkSize = 1 << 20;
    private const int PageBits = 14;
    private const int PageSize = 1 << PageBits;
    private const int HeaderSize = sizeof(int);
    private readonly List<nint> _chunks = [];
    private readonly Dictionary<int, Stack<nint>> _free = [];
    private nint[]?[] _pages = new nint[]?[4];
    private int _chunkUsed = ChunkSize;
    private bool _disposed;

    /// <summary>Frees what was not freed.</summary>
    ~PayloadStore() => Release();

    /// <summary>Unmanaged bytes held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes of the payloads themselves.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Every slot with a payload is below it.</summary>
    public int SlotBound { get; private set; }

    /// <summary>Stores a slot's payload; empty for none. The slot must be new or freed.</summary>
    public void Set(int slot, ReadOnlySpan<byte> json)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!Get(slot).IsEmpty)
            throw new InvalidOperationException($"Slot {slot} has a payload already.");
        SlotBound = Math.Max(SlotBound, slot + 1);

        // Points without payload take no references either.
        if (json.IsEmpty)
            return;
        ref var reference = ref Reference(slot);
        var block = Allocate(checked(json.Length + HeaderSize));

        // The block has room for the header and the whole payload.
        *(int*)block = json.Length;
        json.CopyTo(new Span<byte>((byte*)block + HeaderSize, json.Length));
        UsedBytes += json.Length;
        Volatile.Write(ref reference, block);
    }

    /// <summary>A slot's payload; empty for none. Valid while the reader's epoch lasts.</summary>
    public ReadOnlySpan<byte> Get(int slot)
    {
        var pages = Volatile.Read(ref _pages);
        var page = slot >> PageBits;
        if ((uint)page >= (uint)pages.Length || Volatile.Read(ref pages[page]) is not { } references)
            return default;
        var block = Volatile.Read(ref references[slot & (PageSize - 1)]);
        return block == 0 ? default : new ReadOnlySpan<byte>((byte*)block + HeaderSize, *(int*)block);
    }

    /// <summary>Forgets a slot's payload; its memory is used again at once, so call it only when the epoch has passed.</summary>
    public void Free(int slot)
    {
        var length = Get(slot).Length;
        if (length == 0)
            return;
        ref var reference = ref Reference(slot);
        var block = reference;
        Volatile.Write(ref reference, 0);
        UsedBytes -= length;
        var size = ClassOf(length + HeaderSize);
        if (size > ChunkSize)
        {
            NativeMemory.Free((void*)block);
            Bytes -= size;
            return;
        }

        if (!_free.TryGetValue(size, out var blocks))
            _free.Add(size, blocks = []);
        blocks.Push(block);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private static int ClassOf(int size)
    {
        if (size <= 64)
            return (size + 15) & ~15;
        if (size > ChunkSize)
            return size;
        var step = 1 << (int.Log2(size - 1) - 2);
        return (size + step - 1) & -step;
    }

    private nint Allocate(int size)
    {
        size = ClassOf(size);
        if (size > ChunkSize)
        {
            Bytes += size;
            return (nint)NativeMemory.Alloc((nuint)size);
        }

        if (_free.TryGetValue(size, out var blocks) && blocks.TryPop(out var block))
            return block;
        if (_chunkUsed + size > ChunkSize)
        {
            _chunks.Add((nint)NativeMemory.Alloc(ChunkSize));
            _chunkUsed = 0;
            Bytes += ChunkSize;
        }

        block = _chunks[^1] + _chunkUsed;
        _chunkUsed += size;
        return block;
    }

    private ref nint Reference(int slot)
    {
        var page = slot >> PageBits;
        if (page >= _pages.Length)
        {
            var grown = new nint[]?[Math.Max(page + 1, _pages.Length * 2)];
            _pages.CopyTo(grown, 0);
            Volatile.Write(ref _pages, grown);
        }

        if (_pages[page] is null)
            Volatile.Write(ref _pages[page], new nint[PageSize]);
        return ref _pages[page]![slot & (PageSize - 1)];
    }

    private void Release()
    {
        if (_disposed)
            return;
        _disposed = true;
        for (var slot = 0; slot < SlotBound; slot++)
        {
            var length = Get(slot).Length;
            if (length + HeaderSize > ChunkSize)
                NativeMemory.Free((void*)Reference(slot));
        }

        _pages = [];
        foreach (var chunk in _chunks)
            NativeMemory.Free((void*)chunk);
        _chunks.Clear();
    }
}
