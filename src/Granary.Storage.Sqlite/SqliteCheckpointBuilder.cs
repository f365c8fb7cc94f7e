using System.Globalization;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;

namespace Granary.Storage.Sqlite;

/// <summary>Writes a checkpoint in chunks, a short transaction each, so that appends go on between them.</summary>
internal sealed class SqliteCheckpointBuilder(SqliteDatabase database, long id, long operation, DateTimeOffset created) : ICheckpointBuilder
{
    private readonly HashSet<string> _sections = new(StringComparer.Ordinal);
    private long _bytes;
    private bool _open;
    private bool _done;

    public Stream Create(string section)
    {
        ObjectDisposedException.ThrowIf(_done, this);
        StorageRules.CheckSection(section);
        if (_open || !_sections.Add(section))
            throw new InvalidOperationException($"section `{section}` exists, or the one before is still open");
        _open = true;
        return new SectionWriteStream(database.Options.ChunkBytes, (chunk, bytes) => Write(section, chunk, bytes), () => _open = false);
    }

    public async ValueTask<CheckpointInfo> PublishAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_done, this);
        if (_open)
            throw new InvalidOperationException("a section is still open");
        await database.WriteAsync(
            connection =>
            {
                using var command = SqliteDatabase.Command(
                    connection, "UPDATE checkpoint SET published = 1, bytes = @bytes WHERE id = @id", ("@id", id), ("@bytes", _bytes));
                if (command.ExecuteNonQuery() == 0)
                    throw GranaryException.NotFound($"{database.Path}: checkpoint {id} was dropped with its collection");
                return true;
            },
            cancellation).ConfigureAwait(false);
        database.SyncLog();
        _done = true;
        return new CheckpointInfo(operation, id.ToString(CultureInfo.InvariantCulture), _bytes, created);
    }

    public async ValueTask DisposeAsync()
    {
        if (_done)
            return;
        _done = true;
        try
        {
            await database.WriteAsync(
                connection =>
                {
                    SqliteDatabase.Execute(connection, "DELETE FROM checkpoint WHERE id = @id AND published = 0", ("@id", id));
                    return true;
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GranaryException or IOException or ObjectDisposedException)
        {
            // What is left is removed when the storage is opened next.
        }
    }

    private void Write(string section, int chunk, ReadOnlyMemory<byte> bytes)
    {
        database.Write(connection =>
        {
            using var command = SqliteDatabase.Command(
                connection,
                "INSERT INTO section (checkpoint, name, chunk, crc32c, bytes) VALUES (@id, @name, @chunk, @crc, @bytes)",
                ("@id", id),
                ("@name", section),
                ("@chunk", chunk),
                ("@crc", (long)Crc32C.Compute(bytes.Span)),
                ("@bytes", bytes.ToArray()));
            command.ExecuteNonQuery();
        });
        _bytes += bytes.Length;
    }

    /// <summary>Hands on full chunks; an empty section has one empty chunk.</summary>
    private sealed class SectionWriteStream(int chunkBytes, Action<int, ReadOnlyMemory<byte>> write, Action closed) : Stream
    {
        private readonly byte[] _buffer = new byte[chunkBytes];
        private int _buffered;
        private int _chunks;
        private bool _disposed;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => ((long)_chunks * _buffer.Length) + _buffered;

        public override long Position
        {
            get => Length;
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            while (!buffer.IsEmpty)
            {
                if (_buffered == _buffer.Length)
                    WriteChunk();
                var part = Math.Min(buffer.Length, _buffer.Length - _buffered);
                buffer[..part].CopyTo(_buffer.AsSpan(_buffered));
                buffer = buffer[part..];
                _buffered += part;
            }
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (_disposed || !disposing)
                return;
            _disposed = true;
            if (_buffered > 0 || _chunks == 0)
                WriteChunk();
            closed();
        }

        private void WriteChunk()
        {
            write(_chunks++, _buffer.AsMemory(0, _buffered));
            _buffered = 0;
        }
    }
}
