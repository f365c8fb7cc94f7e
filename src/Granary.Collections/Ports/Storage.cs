using System.Runtime.CompilerServices;
using Granary.Index.Checkpoints;

namespace Granary.Collections.Ports;

/// <summary>
/// Everything durable, opened by a connection string: the catalog, and per partition a log and checkpoints. Implementations are
/// proved by one conformance suite. All members may be called by many threads unless they say otherwise.
/// </summary>
public interface IStorage : IAsyncDisposable
{
    /// <summary>What is behind the connection string, for people: <c>file</c>, <c>sqlite</c>, <c>mem</c>, <c>postgres</c>.</summary>
    string Kind { get; }

    /// <summary>The catalog.</summary>
    ICatalogStore Catalog { get; }

    /// <summary>Leases to serve reads; null where a storage belongs to one process, which needs none.</summary>
    ILeaseStore? Leases => null;

    /// <summary>Opens a partition's log for writing: raises its epoch, cuts a torn tail, and so fences every writer before.</summary>
    ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation);

    /// <summary>
    /// Opens a partition's log for reading beside whoever writes it, which it neither fences nor waits for. A log that nobody has opened
    /// for writing yet reads as an empty one.
    /// </summary>
    ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation);

    /// <summary>Opens a partition's checkpoints.</summary>
    ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation);

    /// <summary>Drops everything a collection stored. Repeating it does no harm.</summary>
    ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation);

    /// <summary>Incarnations that have data here, for finding what a crash between catalog and drop left behind.</summary>
    ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation);

    /// <summary>
    /// About how large the partitions are whose logs were opened: the newest checkpoint's bytes, or while there is none the log's. Answers
    /// nothing where nobody asks, as in a storage that belongs to one process.
    /// </summary>
    /// <remarks>Not both together: a log reaches back behind the newest checkpoint, and tells again what that holds.</remarks>
    ValueTask<IReadOnlyList<StoredSize>> MeasureAsync(CancellationToken cancellation) => new([]);
}

/// <summary>What a partition takes up.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Bytes">About so many.</param>
public readonly record struct StoredSize(PartitionKey Partition, long Bytes);

/// <summary>When an append is acknowledged.</summary>
public enum Durability : byte
{
    /// <summary>Once the operating system has the bytes (it survives the process); synced to disk at most 100 ms later.</summary>
    Process,

    /// <summary>Once the bytes are on disk (it survives the loss of power); one sync serves all writers waiting.</summary>
    Disk,
}

/// <summary>Names a partition for ever: a collection's incarnation (never its name) and the partition's number.</summary>
/// <param name="Incarnation">Made when the collection was created.</param>
/// <param name="Number">0 to partitions - 1.</param>
public readonly record struct PartitionKey(Guid Incarnation, int Number)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Incarnation:N}/{Number}";
}

/// <summary>
/// One record of a log: a batch of <paramref name="Count"/> operations with consecutive numbers, as
/// <see cref="Granary.Index.Operations.OperationWriter"/> wrote them.
/// </summary>
/// <param name="FirstOperation">The number of the first operation.</param>
/// <param name="Count">How many there are; at least 1.</param>
/// <param name="BatchId">Made by the writer; tells after an ambiguous failure whether the batch got in.</param>
/// <param name="Operations">The encoded operations.</param>
public readonly record struct LogRecord(long FirstOperation, int Count, Guid BatchId, ReadOnlyMemory<byte> Operations)
{
    /// <summary>The number of the last operation.</summary>
    public long LastOperation => FirstOperation + Count - 1;
}

/// <summary>A partition's log as a replica sees it, which reads and never appends.</summary>
public interface ILogReader : IAsyncDisposable
{
    /// <summary>
    /// The number the next operation gets; 1 for an empty log. Survives truncation. A reader beside the writer knows it as of its opening,
    /// or of the last <see cref="HeadAsync"/>.
    /// </summary>
    long NextOperation { get; }

    /// <summary>
    /// The oldest operation still here; equal to <see cref="NextOperation"/> when there is none. As current as that.
    /// </summary>
    long FirstOperation { get; }

    /// <summary>What opening the log had to cut off or mend, for the server's log; null when nothing.</summary>
    string? RecoveryNote { get; }

    /// <summary>Bytes the log holds on disk (0 where unknown).</summary>
    long SizeInBytes { get; }

    /// <summary>Looks at the log itself, refreshes what is known of it and answers <see cref="NextOperation"/>.</summary>
    /// <exception cref="Granary.Index.GranaryException"><c>NotFound</c>: the collection was dropped. <c>Unavailable</c>: the storage cannot
    /// be reached now; the next call may succeed.</exception>
    ValueTask<long> HeadAsync(CancellationToken cancellation);

    /// <summary>
    /// The records that hold operations from <paramref name="fromOperation"/> on, in order, up to the newest when the call was made.
    /// </summary>
    /// <exception cref="LogTruncatedException">The operation was truncated away; a newer checkpoint covers it.</exception>
    /// <exception cref="Granary.Index.GranaryException"><c>Unavailable</c>: the storage cannot be reached now; what was read so far is
    /// right, and the next call may succeed.</exception>
    IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation);

    /// <summary>
    /// The batch id and the last operation of every record that holds operations from <paramref name="fromOperation"/> on, in order, up
    /// to the newest when the call was made. What was truncated away is left out.
    /// </summary>
    /// <exception cref="Granary.Index.GranaryException"><c>Unavailable</c>: the storage cannot be reached now.</exception>
    async IAsyncEnumerable<(Guid Batch, long Last)> BatchesAsync(
        long fromOperation, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // Truncated meanwhile: what is left begins later, and goes on behind what was told already.
        for (var from = (long?)fromOperation; from is { } begin;)
        {
            from = null;
            await using var records = LaterAsync(begin).GetAsyncEnumerator(cancellation);
            while (true)
            {
                try
                {
                    if (!await records.MoveNextAsync().ConfigureAwait(false))
                        break;
                }
                catch (LogTruncatedException e) when (e.First > begin)
                {
                    from = e.First;
                    break;
                }

                begin = records.Current.LastOperation + 1;
                yield return (records.Current.BatchId, records.Current.LastOperation);
            }
        }

        // Some say at once that an operation is gone, others when they come to it.
        async IAsyncEnumerable<LogRecord> LaterAsync(long begin)
        {
            await foreach (var record in ReadAsync(begin, cancellation).ConfigureAwait(false))
                yield return record;
        }
    }

    /// <summary>
    /// The last operation of the record with this batch id, if it is one of those that hold operations from
    /// <paramref name="fromOperation"/> on; else null. What was truncated away counts as not there.
    /// </summary>
    /// <exception cref="Granary.Index.GranaryException"><c>Unavailable</c>: the storage cannot be reached now.</exception>
    async ValueTask<long?> FindBatchAsync(Guid batch, long fromOperation, CancellationToken cancellation)
    {
        await foreach (var (id, last) in BatchesAsync(fromOperation, cancellation).ConfigureAwait(false))
        {
            if (id == batch)
                return last;
        }

        return null;
    }
}

/// <summary>
/// The durable sequence of a partition's operations: the only truth. One writer appends (it never appends concurrently with
/// itself); readers never wait for it.
/// </summary>
public interface IPartitionLog : ILogReader
{
    /// <summary>
    /// Appends records in one group commit: all become durable or none. Their numbers must follow on from
    /// <see cref="ILogReader.NextOperation"/>.
    /// </summary>
    /// <exception cref="LogConflictException">Another writer has opened or advanced the log since; nothing was appended.</exception>
    /// <exception cref="Granary.Index.GranaryException">The storage refused (disk full, read-only); nothing was appended, and appending may
    /// be tried again.</exception>
    /// <remarks>After any other exception it is unknown whether the records got in: open the log again and compare batch ids before a
    /// retry. The records' memory may be reused once the call has completed.</remarks>
    ValueTask AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken cancellation);

    /// <summary>Lets records go whose operations are all before <paramref name="beforeOperation"/>; may keep some longer.</summary>
    ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation);

    /// <inheritdoc/>
    /// <remarks>The writer's own count is the head.</remarks>
    ValueTask<long> ILogReader.HeadAsync(CancellationToken cancellation) => new(NextOperation);
}

/// <summary>A stale writer was fenced: the log belongs to a newer one.</summary>
public sealed class LogConflictException(string message) : Exception(message);

/// <summary>The operation asked for was truncated away.</summary>
public sealed class LogTruncatedException(long asked, long first)
    : Exception($"Operation {asked} was truncated away; the log begins at {first}.")
{
    /// <summary>The oldest operation the log still has.</summary>
    public long First { get; } = first;
}

/// <summary>A checkpoint that was published.</summary>
/// <param name="Operation">The last operation it contains.</param>
/// <param name="Id">Tells checkpoints of one operation apart.</param>
/// <param name="SizeInBytes">Its size.</param>
/// <param name="Created">When.</param>
public sealed record CheckpointInfo(long Operation, string Id, long SizeInBytes, DateTimeOffset Created);

/// <summary>A partition's checkpoints.</summary>
public interface ICheckpointStore : IAsyncDisposable
{
    /// <summary>Published checkpoints, newest first.</summary>
    ValueTask<IReadOnlyList<CheckpointInfo>> ListAsync(CancellationToken cancellation);

    /// <summary>
    /// Begins writing one; nothing of it is seen until it is published, and disposing without publishing leaves no trace.
    /// </summary>
    ValueTask<ICheckpointBuilder> BeginAsync(long operation, CancellationToken cancellation);

    /// <summary>
    /// Opens one. The reader stays valid, mapped sections included, until disposed, even when the checkpoint is deleted meanwhile.
    /// </summary>
    ValueTask<ICheckpointHandle> OpenAsync(CheckpointInfo checkpoint, CancellationToken cancellation);

    /// <summary>Deletes one.</summary>
    ValueTask DeleteAsync(CheckpointInfo checkpoint, CancellationToken cancellation);
}

/// <summary>A checkpoint being written.</summary>
public interface ICheckpointBuilder : ICheckpointWriter, IAsyncDisposable
{
    /// <summary>Syncs everything and makes the checkpoint visible by one atomic step.</summary>
    ValueTask<CheckpointInfo> PublishAsync(CancellationToken cancellation);
}

/// <summary>A checkpoint being read.</summary>
public interface ICheckpointHandle : ICheckpointReader, IAsyncDisposable;

/// <summary>Small documents with conditional writes: collections, aliases, settings.</summary>
public interface ICatalogStore
{
    /// <summary>All documents whose key starts with the prefix.</summary>
    ValueTask<IReadOnlyList<CatalogEntry>> ListAsync(string prefix, CancellationToken cancellation);

    /// <summary>One document, or null.</summary>
    ValueTask<CatalogEntry?> GetAsync(string key, CancellationToken cancellation);

    /// <summary>
    /// Applies all changes durably, or none when one of the expected versions does not hold. An expected version of 0 means
    /// "does not exist"; a null value deletes.
    /// </summary>
    /// <returns>False when a version did not hold.</returns>
    ValueTask<bool> TryCommitAsync(IReadOnlyList<CatalogChange> changes, CancellationToken cancellation);
}

/// <summary>A document of the catalog.</summary>
/// <param name="Key">Its key, such as <c>collection/name</c>.</param>
/// <param name="Version">1 when created, one more with every change.</param>
/// <param name="Value">UTF-8 JSON.</param>
public sealed record CatalogEntry(string Key, long Version, ReadOnlyMemory<byte> Value);

/// <summary>A conditional change of one document.</summary>
/// <param name="Key">Its key.</param>
/// <param name="ExpectedVersion">The version it must have now; 0: it must not exist.</param>
/// <param name="Value">The new value; null deletes.</param>
public sealed record CatalogChange(string Key, long ExpectedVersion, ReadOnlyMemory<byte>? Value);
