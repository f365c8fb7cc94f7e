using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Granary.Index.Vectors;

/// <content>What a field keeps of a vector: the original, or its int8 code alone.</content>
public sealed unsafe partial class DenseField
{
    // A decoded row, or one to be encoded.
    [ThreadStatic]
    private static float[]? _decoded;

    private bool KeepsOriginals => Schema.Storage != VectorStorage.Int8;

    /// <summary>
    /// A row's vector as stored (normalised where the distance is cosine; the decoded code where only that is kept). Valid until the row is
    /// removed and the reader's epoch ends.
    /// </summary>
    public ReadOnlySpan<float> Vector(int row)
    {
        if (_vectors is not null)
            return new(_vectors.Row(row), _size);
        StoredCode.Decode(_codes!.Row(row), _size, Scratch());
        return new ReadOnlySpan<float>(Scratch(), _size).ToArray();
    }

    /// <summary>Bytes of each part.</summary>
    internal IEnumerable<(string Part, long Bytes, bool Unmanaged)> MeasureBytes()
    {
        yield return ("originals", _vectors?.Bytes ?? 0, true);
        if (MappedBytes > 0)
            yield return ("originals in mapped files", MappedBytes, false);
        yield return ("codes", _codes?.Bytes ?? 0, true);
        if (SignBytes > 0)
            yield return ("signs for scans under filters", SignBytes, true);
        yield return ("slots of rows", _slots.Bytes, true);
        if (_graph is null)
            yield break;
        foreach (var part in _graph.MeasureBytes())
            yield return part;
        yield return ("rows to link", (long)_queue.Length * sizeof(int), false);
    }

    /// <summary>Whether a row holds what would be stored of this vector, to the bit. Called by the applier.</summary>
    internal bool Holds(int row, ReadOnlySpan<float> vector)
    {
        var stored = new Span<float>(Scratch(), _size);
        VectorMath.Copy(vector, Schema.Distance, stored);
        if (_vectors is not null)
            return MemoryMarshal.AsBytes(Vector(row)).SequenceEqual(MemoryMarshal.AsBytes(stored));
        var stride = RowCode.Stride(_size);
        var code = stackalloc byte[stride];
        Encode(stored, code);
        return new ReadOnlySpan<byte>(code, stride).SequenceEqual(new ReadOnlySpan<byte>(_codes!.Row(row), stride));
    }

    /// <summary>The key of a row's vector as stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float KeyOf(float* query, int row) => _vectors is not null
        ? VectorMath.Key(Schema.Distance, query, (float*)_vectors.Row(row), _size)
        : DecodedKey(query, row);

    private void PrefetchOriginals(int* rows, int count)
    {
        if (_vectors is not null)
            Floats().Prefetch(rows, count);
    }

    // Bit-equal everywhere, as the kernels over originals are: the decoded values are the same wherever they are computed.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private float DecodedKey(float* query, int row)
    {
        var decoded = Scratch();
        StoredCode.Decode(_codes!.Row(row), _size, decoded);
        return VectorMath.Key(Schema.Distance, query, decoded, _size);
    }

    private void Store(int row, ReadOnlySpan<float> vector, bool normalise)
    {
        var stored = new Span<float>(_vectors is not null ? (float*)_vectors.Row(row) : Scratch(), _size);
        VectorMath.Copy(vector, normalise ? Distance.Cosine : Distance.Dot, stored);
        if (_codes is null)
            return;
        Encode(stored, _codes.Row(row));

        // A plane that is not seen here was made after the code was written.
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _signs)?.Update(row);
    }

    private void Encode(ReadOnlySpan<float> stored, byte* code)
    {
        RowCode.Encode(stored, _euclid, code);
        if (!KeepsOriginals)
            StoredCode.Settle(code, _size, Schema.Distance);
    }

    // Pinned; a register longer than the row, as the rows of an arena are.
    private float* Scratch()
    {
        if (_decoded is null || _decoded.Length < _size + 16)
            _decoded = GC.AllocateUninitializedArray<float>(_size + 16, pinned: true);
        return (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_decoded));
    }
}
