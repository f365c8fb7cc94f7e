using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace Granary.Storage.Postgres.Checkpoints;

/// <summary>An open checkpoint: holds every section's file open, so that deleting it meanwhile takes nothing away.</summary>
internal sealed class CheckpointHandle(string database, long id, Dictionary<string, SafeFileHandle> files) : ICheckpointHandle
{
    public Stream Open(string section) => new SectionReadStream(Find(section));

    public MappedSection? TryMap(string section) => MappedFile.TryMap(Find(section));

    public ValueTask DisposeAsync()
    {
        foreach (var file in files.Values)
            file.Dispose();
        return default;
    }

    private SafeFileHandle Find(string section) => files.TryGetValue(section, out var file)
        ? file : throw GranaryException.NotFound($"{database}: checkpoint {id} has no section `{section}`");

    /// <summary>Reads a file that others read too: it has a position of its own, and leaves the handle open.</summary>
    private sealed class SectionReadStream(SafeFileHandle file) : Stream
    {
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => RandomAccess.GetLength(file);

        public override long Position
        {
            get => _position;
            set => _position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "a position is 0 or more");
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = RandomAccess.Read(file, buffer, _position);
            _position += read;
            return read;
        }

        public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            _ => Length,
        };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
