namespace Granary.Index.Payload;

/// <summary>
/// Payloads by slot, UTF-8 JSON in unmanaged arenas: no object a point. One thread writes; any number read without locks, each only
/// slots whose epoch it holds.
/// </summary>
public sealed partial class PayloadStore : IDisposable
{
    /// <summary>Unmanaged bytes held.</summary>
    public long Bytes => throw new NotImplementedException();

    /// <summary>Bytes of the payloads themselves.</summary>
    public long UsedBytes => throw new NotImplementedException();

    /// <summary>Stores a slot's payload; empty for none. The slot must be new or freed.</summary>
    public void Set(int slot, ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>A slot's payload; empty for none. Valid while the reader's epoch lasts.</summary>
    public ReadOnlySpan<byte> Get(int slot) => throw new NotImplementedException();

    /// <summary>Forgets a slot's payload; its memory is used again at once, so call it only when the epoch has passed.</summary>
    public void Free(int slot) => throw new NotImplementedException();

    /// <summary>Writes every payload. Called by the writing thread.</summary>
    public void Save(Stream stream) => throw new NotImplementedException();

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static PayloadStore Load(Stream stream) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
