namespace Granary.Index.Checkpoints;

/// <summary>
/// Where a checkpoint is written: a few named sections, published together by the storage. The index writes a <c>manifest</c>
/// section last, with the length and the CRC32C of every block of every other section.
/// </summary>
public interface ICheckpointWriter
{
    /// <summary>Starts a section; it ends when the stream is disposed. Sections are written one at a time.</summary>
    Stream Create(string section);
}

/// <summary>Where a checkpoint is read from.</summary>
public interface ICheckpointReader
{
    /// <summary>Opens a section for reading from its start.</summary>
    /// <exception cref="GranaryException">There is no such section.</exception>
    Stream Open(string section);

    /// <summary>
    /// Maps a section into memory, copy-on-write or read-only, or returns null where the storage cannot; then it is read by
    /// <see cref="Open"/>.
    /// </summary>
    MappedSection? TryMap(string section);
}

/// <summary>A section of a checkpoint mapped into memory. Disposing it unmaps it.</summary>
public abstract unsafe class MappedSection : IDisposable
{
    /// <summary>The first byte; page aligned.</summary>
    public abstract byte* Pointer { get; }

    /// <summary>Bytes mapped.</summary>
    public abstract long Length { get; }

    /// <summary>Whether its pages are a file's: what was not written to, the system may drop and read again.</summary>
    public virtual bool IsFile => false;

    /// <inheritdoc/>
    public abstract void Dispose();
}
