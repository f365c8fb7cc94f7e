using System.Buffers.Binary;

namespace Granary.Index.Operations;

/// <summary>Walks the operations that an <see cref="OperationWriter"/> wrote one after another.</summary>
public ref struct OperationSequence
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts before the first operation.</summary>
    public OperationSequence(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>The bytes of the operation the sequence stands on, without the length prefix.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>For foreach.</summary>
    public readonly OperationSequence GetEnumerator() => this;

    /// <summary>Goes to the next operation.</summary>
    /// <exception cref="GranaryException">The bytes end inside an operation.</exception>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        var length = _rest.Length < 4 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(_rest);
        if (length < 0 || length > _rest.Length - 4)
            throw new GranaryException(
                ErrorKind.Corrupted, $"A sequence of operations is cut short: {_rest.Length} bytes left, operation of {length}.");
        Current = _rest.Slice(4, length);
        _rest = _rest[(4 + length)..];
        return true;
    }
}
