using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Granary.Index.Operations;

/// <summary>
/// Encodes operations, one after another, each behind its length (int32). The encoding is what the log stores and what
/// <see cref="OperationView"/> reads in place; see docs/formats.md. All integers are little-endian.
/// </summary>
/// <remarks>
/// An operation: kind (1), flags (1), id (17), filter (length, UTF-8 JSON), payload (length, UTF-8 JSON), key (length, UTF-8),
/// source operation (8), vector count (2), then the vectors. Begin, write the parts in this order (each once; an absent one is
/// written empty by <see cref="End"/>), End.
/// </remarks>
public sealed class OperationWriter : IBufferWriter<byte>
{
    /// <summary>The most bytes the operations of one writer may have.</summary>
    public const int MaxBytes = 256 << 20;

    private readonly int _most;
    private byte[] _buffer = new byte[1024];
    private int _length;
    private int _start = -1;
    private int _vectorCountAt;
    private int _part;

    /// <summary>A writer for up to <see cref="MaxBytes"/>.</summary>
    public OperationWriter() : this(MaxBytes)
    {
    }

    internal OperationWriter(int most) => _most = most;

    /// <summary>How many operations have been ended.</summary>
    public int Count { get; private set; }

    /// <summary>All that has been ended so far.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _start >= 0 ? _start : _length);

    /// <summary>Starts an operation on a point (or, with <see cref="OperationFlags.ByFilter"/>, on what a filter matches).</summary>
    public void Begin(OperationKind kind, PointId id, OperationFlags flags = OperationFlags.None)
    {
        if (_start >= 0)
            throw new InvalidOperationException("The previous operation was not ended.");
        _start = _length;
        var span = Take(4 + 2 + PointId.EncodedSize);
        span[4] = (byte)kind;
        span[5] = (byte)flags;
        id.Encode(span[6..]);
        _part = 0;
    }

    /// <summary>The filter: the target of a by-filter operation, or the condition of a conditional upsert.</summary>
    public void Filter(ReadOnlySpan<byte> json) => Part(0, json);

    /// <summary>The payload object.</summary>
    public void Payload(ReadOnlySpan<byte> json) => Part(1, json);

    /// <summary>The payload key of a set, or a JSON array of names or keys.</summary>
    public void Key(ReadOnlySpan<byte> key) => Part(2, key);

    /// <summary>The operation an embedding came from.</summary>
    public void Source(long operation)
    {
        Skip(3);
        BinaryPrimitives.WriteInt64LittleEndian(Take(8), operation);
        _part = 4;
    }

    /// <summary>A dense vector; the span returned is to be filled with <paramref name="size"/> floats (4 bytes each, unaligned).</summary>
    public Span<byte> Dense(string name, int size)
    {
        Vector(VectorKind.Dense, name);
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), size);
        return Take(size * 4);
    }

    /// <summary>A dense vector.</summary>
    public void Dense(string name, ReadOnlySpan<float> values) => MemoryMarshal.AsBytes(values).CopyTo(Dense(name, values.Length));

    /// <summary>A matrix of <paramref name="rows"/> dense vectors of <paramref name="size"/> each, row after row.</summary>
    public void Multi(string name, int rows, int size, ReadOnlySpan<float> values)
    {
        Vector(VectorKind.Multi, name);
        var span = Take(8);
        BinaryPrimitives.WriteInt32LittleEndian(span, rows);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], size);
        MemoryMarshal.AsBytes(values).CopyTo(Take(values.Length * 4));
    }

    /// <summary>A sparse vector; indices ascending and distinct.</summary>
    public void Sparse(string name, ReadOnlySpan<uint> indices, ReadOnlySpan<float> values)
    {
        Vector(VectorKind.Sparse, name);
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), indices.Length);
        MemoryMarshal.AsBytes(indices).CopyTo(Take(indices.Length * 4));
        MemoryMarshal.AsBytes(values).CopyTo(Take(values.Length * 4));
    }

    /// <summary>Ends the operation.</summary>
    public void End()
    {
        Skip(5);
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(_start), _length - _start - 4);
        _start = -1;
        Count++;
    }

    /// <summary>Drops the operation that was begun and not ended.</summary>
    public void Abandon()
    {
        if (_start < 0)
            return;
        _length = _start;
        _start = -1;
    }

    /// <summary>Appends one operation already encoded (without its length).</summary>
    public void Append(ReadOnlySpan<byte> operation)
    {
        var span = Take(4 + operation.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span, operation.Length);
        operation.CopyTo(span[4..]);
        Count++;
    }

    /// <summary>Empties the writer and keeps its buffer.</summary>
    public void Clear() => (_length, _start, Count) = (0, -1, 0);

    /// <summary>Hands the buffer out and starts a new one: the bytes are the caller's.</summary>
    public ReadOnlyMemory<byte> Detach()
    {
        var bytes = Written;
        _buffer = new byte[1024];
        Clear();
        return bytes;
    }

    void IBufferWriter<byte>.Advance(int count) => _length += count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint)
    {
        Grow(Math.Max(sizeHint, 256));
        return _buffer.AsMemory(_length);
    }

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => ((IBufferWriter<byte>)this).GetMemory(sizeHint).Span;

    private void Part(int part, ReadOnlySpan<byte> bytes)
    {
        Skip(part);
        var span = Take(4 + bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span, bytes.Length);
        bytes.CopyTo(span[4..]);
        _part = part + 1;
    }

    private void Vector(VectorKind kind, string name)
    {
        Skip(5);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(_buffer.AsSpan(_vectorCountAt));
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_vectorCountAt), checked((ushort)(count + 1)));
        var bytes = Encoding.UTF8.GetByteCount(name);
        var span = Take(2 + bytes);
        span[0] = (byte)kind;
        span[1] = checked((byte)bytes);
        Encoding.UTF8.GetBytes(name, span[2..]);
    }

    /// <summary>Writes the parts before <paramref name="part"/> that were not given as empty ones.</summary>
    private void Skip(int part)
    {
        if (_start < 0)
            throw new InvalidOperationException("No operation was begun.");
        if (_part > part)
            throw new InvalidOperationException($"Part {part} of an operation was written after part {_part - 1}.");
        while (_part < part)
        {
            switch (_part)
            {
                case < 3:
                    BinaryPrimitives.WriteInt32LittleEndian(Take(4), 0);
                    break;
                case 3:
                    BinaryPrimitives.WriteInt64LittleEndian(Take(8), 0);
                    break;
                default:
                    _vectorCountAt = _length;
                    BinaryPrimitives.WriteUInt16LittleEndian(Take(2), 0);
                    break;
            }

            _part++;
        }
    }

    private Span<byte> Take(int count)
    {
        Grow(count);
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }

    /// <summary>Makes room for so many bytes more: a caller who knows what is coming is refused before anything is copied.</summary>
    /// <exception cref="GranaryException">The operations would have more than <see cref="MaxBytes"/>.</exception>
    public void Reserve(long count)
    {
        var needed = _length + count;
        if (needed > _most)
            throw GranaryException.BadInput(
                $"The operations of one batch have {needed} bytes or more, the limit is {_most} bytes; send fewer at a time");
        if (_buffer.Length < needed)
            Array.Resize(ref _buffer, (int)Math.Min(_most, Math.Max(_buffer.Length * 2L, needed)));
    }

    private void Grow(int count)
    {
        if (_buffer.Length - _length < count)
            Reserve(count);
    }
}
