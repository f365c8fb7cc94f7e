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

    private sealed class SectionReadStream(SqliteCheckpointHandle handle, string section, long length) : Stream
    {
        private byte[] _chunk = [];
        private int _number = -1;
        private long _chunkBytes;
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => _position;
            set => _position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "a position is 0 or more");
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (_position >= length || buffer.IsEmpty)
                return 0;
            if (_number < 0)
                Load(0);

            // All chunks but the last have the length of the first, whatever the options were when they were written.
            _chunkBytes = Math.Max(_chunkBytes, _chunk.Length);
            var number = (int)(_position / _chunkBytes);
            if (number != _number)
                Load(number);
            var rest = _chunk.AsSpan((int)(_position - (number * _chunkBytes)));
            var part = Math.Min(rest.Length, buffer.Length);
            rest[..part].CopyTo(buffer);
            _position += part;
            return part;
        }

        public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            _ => length,
        };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private void Load(int number)
        {
            _chunk = handle.ReadChunk(section, number);
            _number = number;
        }
    }
}
