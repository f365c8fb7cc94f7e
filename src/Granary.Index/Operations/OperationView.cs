using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Granary.Index.Operations;

/// <summary>The shape of a vector inside an operation.</summary>
public enum VectorKind : byte
{
    /// <summary>One dense vector.</summary>
    Dense = 1,

    /// <summary>A matrix of dense vectors.</summary>
    Multi = 2,

    /// <summary>A sparse vector.</summary>
    Sparse = 3,
}

/// <summary>One encoded operation, read in place. Written by <see cref="OperationWriter"/>.</summary>
public readonly ref struct OperationView
{
    private readonly ReadOnlySpan<byte> _vectors;

    /// <summary>Reads the parts of an operation (without its length prefix).</summary>
    /// <exception cref="GranaryException">The bytes are not a whole operation.</exception>
    public OperationView(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Bytes = bytes;
            Kind = (OperationKind)bytes[0];
            Flags = (OperationFlags)bytes[1];
            Id = PointId.Decode(bytes[2..]);
            var rest = bytes[(2 + PointId.EncodedSize)..];
            Filter = Part(ref rest);
            Payload = Part(ref rest);
            Key = Part(ref rest);
            Source = BinaryPrimitives.ReadInt64LittleEndian(rest);
            VectorCount = BinaryPrimitives.ReadUInt16LittleEndian(rest[8..]);
            _vectors = rest[10..];
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new GranaryException(ErrorKind.Corrupted, $"An operation of {bytes.Length} bytes is cut short.", e);
        }
        catch (IndexOutOfRangeException e)
        {
            throw new GranaryException(ErrorKind.Corrupted, $"An operation of {bytes.Length} bytes is cut short.", e);
        }
    }

    /// <summary>The whole operation.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>What it does.</summary>
    public OperationKind Kind { get; }

    /// <summary>Details.</summary>
    public OperationFlags Flags { get; }

    /// <summary>The point; of kind None when the target is a filter or the collection.</summary>
    public PointId Id { get; }

    /// <summary>The filter as UTF-8 JSON, or empty.</summary>
    public ReadOnlySpan<byte> Filter { get; }

    /// <summary>The payload object as UTF-8 JSON, or empty.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The payload key, or a JSON array of names or keys, or empty.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The operation an embedding came from.</summary>
    public long Source { get; }

    /// <summary>How many vectors follow.</summary>
    public int VectorCount { get; }

    /// <summary>The vectors, in the order they were written.</summary>
    public VectorEnumerator GetEnumerator() => new(_vectors, VectorCount);

    private static ReadOnlySpan<byte> Part(scoped ref ReadOnlySpan<byte> rest)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        var part = rest.Slice(4, length);
        rest = rest[(4 + length)..];
        return part;
    }

    /// <summary>Walks the vectors of an operation.</summary>
    public ref struct VectorEnumerator
    {
        private ReadOnlySpan<byte> _rest;
        private int _left;

        internal VectorEnumerator(ReadOnlySpan<byte> rest, int count)
        {
            _rest = rest;
            _left = count;
        }

        /// <summary>The vector the enumerator stands on.</summary>
        public VectorView Current { get; private set; }

        /// <summary>Goes to the next vector.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
                return false;
            _left--;
            var kind = (VectorKind)_rest[0];
            var nameLength = _rest[1];
            var name = _rest.Slice(2, nameLength);
            _rest = _rest[(2 + nameLength)..];
            var first = BinaryPrimitives.ReadInt32LittleEndian(_rest);
            int header = 4, rows = 1, size = first, data;
            switch (kind)
            {
                case VectorKind.Dense:
                    data = checked(first * 4);
                    break;
                case VectorKind.Multi:
                    rows = first;
                    size = BinaryPrimitives.ReadInt32LittleEndian(_rest[4..]);
                    header = 8;
                    data = checked(rows * size * 4);
                    break;
                case VectorKind.Sparse:
                    data = checked(first * 8);
                    break;
                default:
                    throw new GranaryException(ErrorKind.Corrupted, $"Unknown vector kind {(byte)kind} in an operation.");
            }

            Current = new VectorView(kind, name, rows, size, _rest.Slice(header, data));
            _rest = _rest[(header + data)..];
            return true;
        }
    }
}

/// <summary>One vector of an operation, read in place.</summary>
public readonly ref struct VectorView
{
    private readonly ReadOnlySpan<byte> _data;

    internal VectorView(VectorKind kind, ReadOnlySpan<byte> name, int rows, int size, ReadOnlySpan<byte> data)
    {
        Kind = kind;
        NameUtf8 = name;
        Rows = rows;
        Size = size;
        _data = data;
    }

    /// <summary>Its shape.</summary>
    public VectorKind Kind { get; }

    /// <summary>Its name, UTF-8.</summary>
    public ReadOnlySpan<byte> NameUtf8 { get; }

    /// <summary>Its name.</summary>
    public string Name => Encoding.UTF8.GetString(NameUtf8);

    /// <summary>Rows of a matrix; 1 otherwise.</summary>
    public int Rows { get; }

    /// <summary>Dimensions of a dense row, or the number of entries of a sparse vector.</summary>
    public int Size { get; }

    /// <summary>Dense values, row after row, or a sparse vector's values. Not necessarily aligned to 4 bytes.</summary>
    public ReadOnlySpan<float> Values => MemoryMarshal.Cast<byte, float>(Kind == VectorKind.Sparse ? _data[(Size * 4)..] : _data);

    /// <summary>A sparse vector's indices, ascending.</summary>
    public ReadOnlySpan<uint> Indices => Kind == VectorKind.Sparse ? MemoryMarshal.Cast<byte, uint>(_data[..(Size * 4)]) : [];
}
