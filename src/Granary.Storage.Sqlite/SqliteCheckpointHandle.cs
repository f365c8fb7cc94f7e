using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;

namespace Granary.Storage.Sqlite;

/// <summary>An open checkpoint; sections are read chunk by chunk, each checked.</summary>
internal sealed class SqliteCheckpointHandle(SqliteDatabase database, long id, Dictionary<string, long> sections, OpenCheckpoints open)
    : ICheckpointHandle
{
    private bool _disposed;

    public Stream Open(string section) => new SectionReadStream(this, section, Length(section));

    /// <summary>Rows cannot be mapped.</summary>
    public MappedSection? TryMap(string section)
    {
        _ = Length(section);
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (!open.Leave(id))
            return;
        try
        {
            await open.RemoveUnlessOpenAsync(database, id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GranaryException or IOException or ObjectDisposedException)
        {
            // What is left is removed when the storage is opened next.
        }
    }

    private long Length(string section) => sections.TryGetValue(section, out var length)
        ? length
        : throw GranaryException.NotFound($"{database.Path}: checkpoint {id} has no section `{section}`");

    private byte[] ReadChunk(string section, int chunk)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return database.Read(connection =>
        {
            using var command = SqliteDatabase.Command(
                connection,
                "SELECT crc32c, bytes FROM section WHERE checkpoint = @id AND name = @name AND chunk = @chunk",
                ("@id", id),
                ("@name", section),
                ("@chunk", chunk));
            using var row = command.ExecuteReader();
            var place = $"table section, checkpoint {id}, section {section}, chunk {chunk}";
            if (!row.Read())
                throw SqliteErrors.Corrupted(database.Path, place, "it is missing");
            var bytes = (byte[])row[1];
            return Crc32C.Compute(bytes) == (uint)row.GetInt64(0)
                ? bytes : throw SqliteErrors.Corrupted(database.Path, place, "the checksum does not match");
        });
    }

    private sealed class SectionReadStream(SqliteCheckpointHandle handle, string section, long length) : SectionStream(length)
    {
        private byte[] _chunk = [];
        private int _number = -1;
        private long _chunkBytes;

        protected override int ReadAt(Span<byte> buffer, long position)
        {
            if (_number < 0)
                Load(0);

            // All chunks but the last have the length of the first, whatever the options were when they were written.
            _chunkBytes = Math.Max(_chunkBytes, _chunk.Length);
            var number = (int)(position / _chunkBytes);
            if (number != _number)
                Load(number);
            var rest = _chunk.AsSpan((int)(position - (number * _chunkBytes)));
            var part = Math.Min(rest.Length, buffer.Length);
            rest[..part].CopyTo(buffer);
            return part;
        }

        private void Load(int number)
        {
            _chunk = handle.ReadChunk(section, number);
            _number = number;
        }
    }
}
