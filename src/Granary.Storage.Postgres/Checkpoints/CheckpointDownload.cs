using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Granary.Storage.Postgres.Connections;
using Microsoft.Win32.SafeHandles;
using NpgsqlTypes;

namespace Granary.Storage.Postgres.Checkpoints;

/// <summary>
/// Gets a checkpoint's sections as files: those in the cache where they have the checksums that the database has, the others from the
/// database. A copy that was damaged here is fetched again and never counts as damage of the checkpoint.
/// </summary>
internal sealed class CheckpointDownload(
    PostgresDatabase database, CheckpointCache cache, PartitionKey partition, long id, Guid token)
{
    public async ValueTask<ICheckpointHandle> OpenAsync(CancellationToken cancellation)
    {
        var sections = await ListAsync(cancellation).ConfigureAwait(false);
        var folder = cache.Folder(partition, token);
        try
        {
            if (Cached(folder, sections) is { } cached)
                return new CheckpointHandle(database.Name, id, cached);
            cache.Remove(partition, token);
            var fresh = cache.Begin(partition, token);
            try
            {
                foreach (var (name, chunks) in sections)
                    await FetchAsync(Path.Combine(fresh, name), name, chunks, cancellation).ConfigureAwait(false);
                var files = Open(fresh, sections);
                cache.Finish(fresh, partition, token);
                return new CheckpointHandle(database.Name, id, files);
            }
            catch
            {
                CheckpointCache.RemoveFolder(fresh);
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw cache.Error("writing to", e);
        }
    }

    private async ValueTask<Dictionary<string, List<Chunk>>> ListAsync(CancellationToken cancellation)
    {
        var rows = await database.ListAsync(
            """
            SELECT section, chunk, crc32c, octet_length(bytes) FROM granary.checkpoint_chunk
            WHERE checkpoint = $1 ORDER BY section, chunk
            """,
            row => (Section: row.GetString(0), Number: row.GetInt32(1), Crc: row.GetInt64(2), Length: row.GetInt32(3)),
            cancellation,
            (NpgsqlDbType.Bigint, id)).ConfigureAwait(false);
        var sections = new Dictionary<string, List<Chunk>>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            StorageRules.CheckSection(row.Section);
            if (!sections.TryGetValue(row.Section, out var chunks))
                sections.Add(row.Section, chunks = []);
            if (row.Number != chunks.Count)
                throw Corrupted(row.Section, chunks.Count, "it is missing");
            chunks.Add(new Chunk((uint)row.Crc, row.Length));
        }

        return sections;
    }

    /// <summary>The files of a folder, if all are there and have their checksums.</summary>
    private static Dictionary<string, SafeFileHandle>? Cached(string folder, Dictionary<string, List<Chunk>> sections)
    {
        if (!Directory.Exists(folder))
            return null;
        Dictionary<string, SafeFileHandle> files;
        try
        {
            files = Open(folder, sections);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        if (sections.All(s => Fits(files[s.Key], s.Value)))
            return files;
        Close(files);
        return null;
    }

    private static bool Fits(SafeFileHandle file, List<Chunk> chunks)
    {
        if (RandomAccess.GetLength(file) != chunks.Sum(c => (long)c.Length))
            return false;
        var buffer = new byte[chunks.Max(c => c.Length)];
        var offset = 0L;
        foreach (var chunk in chunks)
        {
            var bytes = buffer.AsSpan(0, chunk.Length);
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes[read..], offset + read) is > 0 and var n)
                read += n;
            if (read < bytes.Length || Crc32C.Compute(bytes) != chunk.Crc)
                return false;
            offset += chunk.Length;
        }

        return true;
    }

    private async ValueTask FetchAsync(string path, string section, List<Chunk> chunks, CancellationToken cancellation)
    {
        using var file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, chunks.Sum(c => (long)c.Length));
        var offset = 0L;
        for (var number = 0; number < chunks.Count; number++)
        {
            var found = await database.ListAsync(
                "SELECT bytes FROM granary.checkpoint_chunk WHERE checkpoint = $1 AND section = $2 AND chunk = $3",
                row => row.GetFieldValue<byte[]>(0), cancellation, (NpgsqlDbType.Bigint, id), (NpgsqlDbType.Text, section),
                (NpgsqlDbType.Integer, number)).ConfigureAwait(false);
            if (found.Count == 0)
                throw GranaryException.NotFound(
                    $"{database.Name}: checkpoint {id} was deleted while it was read: section {section} lacks chunk {number}");
            if (found[0].Length != chunks[number].Length || Crc32C.Compute(found[0]) != chunks[number].Crc)
                throw Corrupted(section, number, "the checksum does not match");
            await RandomAccess.WriteAsync(file, found[0], offset, cancellation).ConfigureAwait(false);
            offset += found[0].Length;
        }
    }

    private static Dictionary<string, SafeFileHandle> Open(string folder, Dictionary<string, List<Chunk>> sections)
    {
        var files = new Dictionary<string, SafeFileHandle>(StringComparer.Ordinal);
        try
        {
            foreach (var name in sections.Keys)
                files.Add(name, File.OpenHandle(Path.Combine(folder, name), share: FileShare.ReadWrite | FileShare.Delete));
            return files;
        }
        catch
        {
            Close(files);
            throw;
        }
    }

    private static void Close(Dictionary<string, SafeFileHandle> files)
    {
        foreach (var file in files.Values)
            file.Dispose();
    }

    private GranaryException Corrupted(string section, int chunk, string what) =>
        PostgresErrors.Corrupted(database.Name, $"table checkpoint_chunk, checkpoint {id}, section {section}, chunk {chunk}", what);

    /// <summary>What a chunk must be.</summary>
    private readonly record struct Chunk(uint Crc, int Length);
}
