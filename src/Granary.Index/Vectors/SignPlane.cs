using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Granary.Index.Memory;

namespace Granary.Index.Vectors;

/// <summary>
/// A bit a dimension (<see cref="SignCode"/>) of the rows of a field, made of their int8 codes chunk by chunk when searches ask for it.
/// Searches read it without locks; a chunk that another thread makes just now is taken as missing. The memory is freed when nobody holds
/// the plane any more: who reads keeps it alive.
/// </summary>
internal sealed unsafe class SignPlane : IDisposable
{
    /// <summary>Rows that are read together: their bytes fit the nearest cache.</summary>
    public const int Places = 128;

    // Rows a chunk, of up to so many dimensions; of more dimensions fewer, so that one is made in about a millisecond.
    private const int MostShift = 9;
    private const int ShiftSize = 512;
    private const int Line = 64;
    private const int Sample = 1024;

    // Of rows that are as far as the farthest wanted, one in 4,000 is passed over; of nearer ones fewer.
    private const float Deviations = 3.5f;
    private readonly RowArena _codes;
    private readonly int _size;
    private readonly int _padded;
    private readonly nint _stride;
    private readonly int _shift;
    private readonly bool _euclid;
    private readonly SignTurn _turn;
    private readonly float[] _centre;
    private readonly float[] _work;
    private readonly Lock _lock = new();
    private nint[] _table = [];
    private int _chunks;

    /// <summary>For the rows of codes; their centre is that of some of the first <paramref name="rows"/>, which are written.</summary>
    public SignPlane(RowArena codes, int size, bool euclid, int rows)
    {
        _codes = codes;
        _size = size;
        _padded = SignCode.Padded(size);
        _stride = SignCode.Stride(size);
        _shift = MostShift - BitOperations.Log2((uint)(_padded + ShiftSize - 1) / ShiftSize);
        _euclid = euclid;
        MadeFor = rows;
        _turn = new SignTurn(_padded);
        _centre = new float[_padded];
        _work = GC.AllocateUninitializedArray<float>(2 * _padded, pinned: true);
        FindCentre(rows);
    }

    ~SignPlane() => Free();

    /// <summary>Rows the field had when the centre was found.</summary>
    public int MadeFor { get; }

    /// <summary>Bytes of the chunks that were made.</summary>
    public long Bytes => Volatile.Read(ref _chunks) * (_stride << _shift);

    /// <summary>Bytes that <see cref="TryPrepare"/> wants.</summary>
    public int TargetBytes => SignCode.TargetBytes(_size) + (2 * _padded * sizeof(float));

    /// <summary>
    /// Writes a query's form; false where its numbers do not suit. It is made of the form that codes are compared with
    /// (<see cref="RowCode.Prepare"/>): what that has lost is missing on both sides, however far from the origin all of it is.
    /// </summary>
    public bool TryPrepare(byte* query, byte* target)
    {
        var turned = (float*)(target + SignCode.TargetBytes(_size));
        new Span<float>(turned, _padded).Clear();
        RowCode.Decode(query, _size, _euclid, turned);
        var product = 0.0;
        var squares = 0.0;
        for (var i = 0; i < _size; i++)
        {
            product += (double)turned[i] * _centre[i];
            turned[i] -= _centre[i];
            squares += (double)turned[i] * turned[i];
        }

        _turn.Turn(turned, turned + _padded);
        return SignCode.Prepare(turned, _padded, (float)(_euclid ? squares : -product), _euclid ? 2f : 1f, Deviations, target);
    }

    /// <summary>
    /// What the distances of rows are at least, as likely as can be said; negative infinity where nothing is known. Returns the first
    /// chunk that was missing, or -1. Uses <see cref="Places"/> pointers at <paramref name="places"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public int Lower(byte* target, int* rows, int count, float* lower, byte** places)
    {
        var table = Volatile.Read(ref _table);
        var missing = -1;
        for (var at = 0; at < count; at += Places)
        {
            // All are asked for at once.
            var some = Math.Min(Places, count - at);
            var all = true;
            for (var i = 0; i < some; i++)
            {
                var place = Row(table, rows[at + i]);
                places[i] = place;
                all &= place != null;
                Prefetch(place);
            }

            var done = 0;
            if (all && Avx512BW.IsSupported)
            {
                for (; done <= some - 4; done += 4)
                    SignCode.Lower512(target, places[done], places[done + 1], places[done + 2], places[done + 3], _padded)
                        .Store(lower + at + done);
            }

            for (; done < some; done++)
            {
                var place = places[done];
                if (place == null && missing < 0)
                    missing = rows[at + done] >> _shift;
                lower[at + done] = place == null ? float.NegativeInfinity : SignCode.Lower(target, place, _padded);
            }
        }

        GC.KeepAlive(this);
        return missing;
    }

    /// <summary>
    /// Makes a chunk, if all its rows are below <paramref name="rows"/>, which have been written, and no other thread is at it; whether
    /// it did.
    /// </summary>
    public bool TryMake(int chunk, int rows)
    {
        if ((long)(chunk + 1) << _shift > rows || !_lock.TryEnter())
            return false;
        try
        {
            if (chunk < _table.Length && _table[chunk] != 0)
                return false;
            if (chunk >= _table.Length)
            {
                var longer = new nint[Math.Max(chunk + 1, _table.Length * 2)];
                _table.CopyTo(longer, 0);
                Volatile.Write(ref _table, longer);
            }

            var memory = (byte*)NativeMemory.AlignedAlloc((nuint)(_stride << _shift), Line);
            new Span<byte>(memory, (int)(_stride << _shift)).Clear();
            for (var i = 0; i < 1 << _shift; i++)
                Encode((chunk << _shift) + i, memory + (i * _stride));
            Volatile.Write(ref _table[chunk], (nint)memory);
            Volatile.Write(ref _chunks, _chunks + 1);
            return true;
        }
        finally
        {
            _lock.Exit();
            GC.KeepAlive(this);
        }
    }

    /// <summary>
    /// Takes a row over that was written anew. Called after its code was written and a full fence: a chunk that is made after it sees the
    /// code, one that was made before is mended here. No search may want the row yet.
    /// </summary>
    public void Update(int row)
    {
        lock (_lock)
        {
            var place = Row(_table, row);
            if (place != null)
                Encode(row, place);
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Row(nint[] table, int row)
    {
        var chunk = row >> _shift;
        var memory = (uint)chunk < (uint)table.Length ? Volatile.Read(ref table[chunk]) : 0;
        return memory == 0 ? null : (byte*)(memory + ((row & ((1 << _shift) - 1)) * _stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Prefetch(byte* place)
    {
        if (!Sse.IsSupported)
            return;
        for (nint offset = 0; offset < _stride; offset += Line)
            Sse.Prefetch0(place + offset);
    }

    // Under the lock.
    private void Encode(int row, byte* place)
    {
        fixed (float* values = _work, centre = _centre)
        {
            Decode(row, values);
            var apart = 0f;
            for (var i = 0; i < _padded; i += Vector256<float>.Count)
            {
                var c = Vector256.Load(centre + i);
                var rest = Vector256.Load(values + i) - c;
                apart += Vector256.Sum(rest * (_euclid ? rest : -c));
                rest.Store(values + i);
            }

            _turn.Turn(values, values + _padded);
            SignCode.Encode(values, _padded, apart, place);
        }
    }

    // What lies between the size and the padded size is zero.
    private void Decode(int row, float* values)
    {
        StoredCode.Decode(_codes.Row(row), _size, values);
        new Span<float>(values + _size, _padded - _size).Clear();
    }

    private void FindCentre(int rows)
    {
        var count = Math.Min(rows, Sample);
        fixed (float* values = _work)
        {
            for (var i = 0; i < count; i++)
            {
                Decode((int)((long)rows * i / count), values);
                for (var j = 0; j < _size; j++)
                    _centre[j] += values[j] / count;
            }
        }

        foreach (var value in _centre)
        {
            if (float.IsFinite(value))
                continue;
            Array.Clear(_centre);
            return;
        }
    }

    private void Free()
    {
        foreach (var chunk in _table)
            NativeMemory.AlignedFree((void*)chunk);
        _table = [];
        _chunks = 0;
    }
}
