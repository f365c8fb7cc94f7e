using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Granary.Index.Vectors;

/// <summary>
/// What a search needs besides the field, kept by its thread from one search to the next, so that searching allocates nothing.
/// </summary>
internal sealed unsafe class SearchScratch
{
    [ThreadStatic]
    private static SearchScratch? _current;
    private bool _rented;
    private byte* _visited;
    private int _visitedLength;
    private byte _stamp;
    private ulong[] _pool = [];
    private ulong[] _second = [];
    private int[] _rows = [];
    private float[] _distances = [];
    private byte[] _targets = [];
    private int[] _chosen = [];
    private int[] _slots = [];
    private int[] _frontier = [];
    private ulong[] _spare = [];

    ~SearchScratch() => NativeMemory.Free(_visited);

    /// <summary>Hits compared exactly.</summary>
    public TopHits Top { get; } = new();

    /// <summary>How many of <see cref="Chosen"/> were compared exactly.</summary>
    public int Rescored { get; set; }

    /// <summary>Entries that wait to be visited in a filtered walk.</summary>
    public PriorityHeap Heap { get; } = new();

    /// <summary>This thread's scratch, or a new one while that is in use.</summary>
    public static SearchScratch Rent()
    {
        var scratch = _current ??= new SearchScratch();
        if (scratch._rented)
            scratch = new SearchScratch();
        scratch._rented = true;
        return scratch;
    }

    /// <summary>Gives it back.</summary>
    public void Return() => _rented = false;

    /// <summary>
    /// Marks for rows below <paramref name="rows"/>: a row is visited when its byte equals the stamp. Outside the managed heap, where a
    /// pinned array that was outgrown would leave a hole. There is a mark for <paramref name="rows"/> as well. Valid until
    /// <see cref="Return"/>.
    /// </summary>
    public byte* Visited(int rows, out byte stamp)
    {
        if (_visitedLength <= rows)
        {
            var length = rows + (rows / 4) + 64;
            NativeMemory.Free(_visited);
            _visited = null;
            _visitedLength = 0;
            _visited = (byte*)NativeMemory.AllocZeroed((nuint)length);
            _visitedLength = length;
            _stamp = 0;
        }

        if (++_stamp == 0)
        {
            new Span<byte>(_visited, _visitedLength).Clear();
            _stamp = 1;
        }

        stamp = _stamp;
        return _visited;
    }

    /// <summary>The marks as they are, for how many rows there are any, and the stamp of those made last.</summary>
    public byte* Marks(out int rows, out byte stamp)
    {
        rows = _visitedLength;
        stamp = _stamp;
        return _visited;
    }

    /// <summary>A pool of that capacity.</summary>
    public CandidatePool Pool(int capacity) => new(Pinned(ref _pool, capacity + CandidatePool.Slack), capacity);

    /// <summary>Another pool of that capacity.</summary>
    public CandidatePool SecondPool(int capacity) => new(Pinned(ref _second, capacity + CandidatePool.Slack), capacity);

    /// <summary>Room for row numbers. Pinned.</summary>
    public int* Rows(int count) => Pinned(ref _rows, count);

    /// <summary>Room for the rows that a walk met and has not compared. Pinned.</summary>
    public int* Frontier(int count) => Pinned(ref _frontier, count);

    /// <summary>Room for entries of a pool. Pinned.</summary>
    public ulong* Spare(int count) => Pinned(ref _spare, count);

    /// <summary>Room for distances. Pinned.</summary>
    public float* Distances(int count) => Pinned(ref _distances, count);

    /// <summary>Room for targets, 64-byte aligned. Pinned.</summary>
    public byte* Targets(long bytes) => (byte*)(((nint)Pinned(ref _targets, checked((int)bytes + 64)) + 63) & ~63);

    /// <summary>Room for the rows a selection keeps. Pinned.</summary>
    public int* Chosen(int count) => Pinned(ref _chosen, count);

    /// <summary>Room for slots. Pinned.</summary>
    public int* Slots(int count) => Pinned(ref _slots, count);

    private static T* Pinned<T>(ref T[] array, int length)
        where T : unmanaged
    {
        if (array.Length < length)
            array = GC.AllocateUninitializedArray<T>(Math.Max(length, array.Length * 2), pinned: true);
        return Pointer(array);
    }

    private static T* Pointer<T>(T[] array)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
}
