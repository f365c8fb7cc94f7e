using System.Globalization;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Granary.Storage.Postgres.Connections;
using NpgsqlTypes;

namespace Granary.Storage.Postgres.Checkpoints;

/// <summary>
/// A checkpoint is written into the cache's folder, which is quick, and goes into the database when it is published, which holds nobody up.
/// </summary>
internal sealed class PostgresCheckpointBuilder(PostgresDatabase database, PartitionKey partition, CheckpointCache cache, long operation)
    : ICheckpointBuilder
{
    private readonly Guid _token = Guid.NewGuid();
    private readonly HashSet<string> _sections = new(StringComparer.Ordinal);
    private string? _folder;
    private long? _id;
    private bool _open;
    private bool _done;

    public Stream Create(string section)
    {
        ObjectDisposedException.ThrowIf(_done, this);
        StorageRules.CheckSection(section);
        if (_open || !_sections.Add(section))
            throw new InvalidOperationException($"section `{section}` exists, or the one before is still open");
        try
        {
            _folder ??= cache.Begin(partition, _token);
            var stream = new SectionStream(Path.Combine(_folder, section), () => _open = false);
            _open = true;
            return stream;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw cache.Error("writing to", e);
        }
    }

    public async ValueTask<CheckpointInfo> PublishAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_done, this);
        if (_open)
            throw new InvalidOperationException("a section is still open");
        // As precise as the database keeps it.
        var now = database.Options.Time.GetUtcNow();
        var created = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        var id = (await database.ListAsync(
            """
            INSERT INTO granary.checkpoint (token, incarnation, partition, operation, bytes, created, touched, published)
            VALUES ($1, $2, $3, $4, 0, $5, now(), false)
            ON CONFLICT (token) DO UPDATE SET touched = now() RETURNING id
            """,
            row => row.GetInt64(0), cancellation, (NpgsqlDbType.Uuid, _token), (NpgsqlDbType.Uuid, partition.Incarnation),
            (NpgsqlDbType.Integer, partition.Number), (NpgsqlDbType.Bigint, operation), (NpgsqlDbType.TimestampTz, created.UtcDateTime))
            .ConfigureAwait(false))[0];
        _id = id;
        long bytes = 0, chunks = 0;
        foreach (var section in _sections)
        {
            var (length, count) = await UploadAsync(id, section, cancellation).ConfigureAwait(false);
            (bytes, chunks) = (bytes + length, chunks + count);
        }

        // Whole, or not at all: a collection dropped meanwhile, or a clean-up, has taken the row.
        var published = await database.ExecuteAsync(
            """
            UPDATE granary.checkpoint SET published = true, bytes = $2, touched = now() WHERE id = $1
            AND (SELECT (count(*), coalesce(sum(octet_length(bytes)), 0)::bigint)
                FROM granary.checkpoint_chunk WHERE checkpoint = $1) = ROW ($3, $2)
            """,
            cancellation, (NpgsqlDbType.Bigint, id), (NpgsqlDbType.Bigint, bytes), (NpgsqlDbType.Bigint, chunks)).ConfigureAwait(false);
        if (published == 0)
            throw GranaryException.NotFound($"{database.Name}: checkpoint {id} was dropped with its collection");
        _done = true;
        if (_folder is not null)
            cache.Finish(_folder, partition, _token);
        return new CheckpointInfo(operation, id.ToString(CultureInfo.InvariantCulture), bytes, created);
    }

    public async ValueTask DisposeAsync()
    {
        if (_done)
            return;
        _done = true;
        if (_folder is not null)
            CheckpointCache.RemoveFolder(_folder);
        if (_id is not { } id)
            return;
        try
        {
            await database.ExecuteAsync(
                "DELETE FROM granary.checkpoint WHERE id = $1 AND NOT published", CancellationToken.None, (NpgsqlDbType.Bigint, id))
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is GranaryException or ObjectDisposedException)
        {
            // What is left is removed when a storage is opened later.
        }
    }

    /// <summary>Sends a section in chunks, each a commit of its own; an empty section has one empty chunk.</summary>
    private async ValueTask<(long Bytes, int Chunks)> UploadAsync(long id, string section, CancellationToken cancellation)
    {
        var buffer = new byte[database.Options.ChunkBytes];
        long total = 0;
        var chunk = 0;
        try
        {
            using var file = File.OpenHandle(Path.Combine(_folder!, section), options: FileOptions.SequentialScan);
            while (true)
            {
                var (read, part) = (0, 1);
                while (part > 0)
                {
                    part = await RandomAccess.ReadAsync(file, buffer.AsMemory(read), total + read, cancellation).ConfigureAwait(false);
                    read += part;
                }

                if (read == 0 && chunk > 0)
                    return (total, chunk);
                await UploadAsync(id, section, chunk++, buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
                total += read;
                if (read < buffer.Length)
                    return (total, chunk);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw cache.Error("reading", e);
        }
    }

    private async ValueTask UploadAsync(long id, string section, int chunk, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        await database.ExecuteAsync(
            """
            WITH alive AS (UPDATE granary.checkpoint SET touched = now() WHERE id = $1 RETURNING id)
            INSERT INTO granary.checkpoint_chunk (checkpoint, section, chunk, crc32c, bytes) SELECT id, $2, $3, $4, $5 FROM alive
            ON CONFLICT (checkpoint, section, chunk) DO UPDATE SET crc32c = excluded.crc32c, bytes = excluded.bytes
            """,
            cancellation, (NpgsqlDbType.Bigint, id), (NpgsqlDbType.Text, section), (NpgsqlDbType.Integer, chunk),
            (NpgsqlDbType.Bigint, (long)Crc32C.Compute(bytes.Span)), (NpgsqlDbType.Bytea, bytes)).ConfigureAwait(false);

    /// <summary>A file that tells when it is closed.</summary>
    private sealed class SectionStream(string path, Action closed)
        : FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 16)
    {
        private bool _disposed;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (!disposing || _disposed)
                return;
            _disposed = true;
            closed();
        }
    }
}
