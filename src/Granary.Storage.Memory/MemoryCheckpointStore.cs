using System.Globalization;
using System.Runtime.InteropServices;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;

namespace Granary.Storage.Memory;

/// <summary>A partition's checkpoints in memory.</summary>
internal sealed class MemoryCheckpointStore(MemoryPartition partition, MemoryFaults faults) : ICheckpointStore
{
    private static long _ids;

    public ValueTask<IReadOnlyList<CheckpointInfo>> ListAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (partition.Lock)
            return new([.. partition.Checkpoints.Select(c => c.Info).Reverse().OrderByDescending(c => c.Operation)]);
    }

    public ValueTask<ICheckpointBuilder> BeginAsync(long operation, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new(new Builder(partition, faults, operation));
    }

    public ValueTask<ICheckpointHandle> OpenAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (partition.Lock)
        {
            var found = partition.Checkpoints.Find(c => c.Info.Operation == checkpoint.Operation && c.Info.Id == checkpoint.Id)
                ?? throw GranaryException.NotFound($"mem: {partition.Key} has no checkpoint {checkpoint.Operation}-{checkpoint.Id}");
            return new(new Handle(found));
        }
    }

    public ValueTask DeleteAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (partition.Lock)
            partition.Checkpoints.RemoveAll(c => c.Info.Operation == checkpoint.Operation && c.Info.Id == checkpoint.Id);
        return default;
    }

    public ValueTask DisposeAsync() => default;

    private sealed class Builder(MemoryPartition partition, MemoryFaults faults, long operation) : ICheckpointBuilder
    {
        private readonly Dictionary<string, byte[]> _sections = new(StringComparer.Ordinal);
        private bool _open;
        private bool _done;

        public Stream Create(string section)
        {
            ObjectDisposedException.ThrowIf(_done, this);
            StorageRules.CheckSection(section);
            if (_open || !_sections.TryAdd(section, []))
                throw new InvalidOperationException($"section `{section}` exists, or the one before is still open");
            _open = true;
            return new SectionStream(bytes => (_sections[section], _open) = (bytes, false));
        }

        public ValueTask<CheckpointInfo> PublishAsync(CancellationToken cancellation)
        {
            ObjectDisposedException.ThrowIf(_done, this);
            cancellation.ThrowIfCancellationRequested();
            if (_open)
                throw new InvalidOperationException("a section is still open");
            faults.CheckPublish();
            _done = true;
            var info = new CheckpointInfo(
                operation,
                Interlocked.Increment(ref _ids).ToString(CultureInfo.InvariantCulture),
                _sections.Values.Sum(s => (long)s.Length),
                DateTimeOffset.UtcNow);
            lock (partition.Lock)
                partition.Checkpoints.Add(new MemoryCheckpoint(info, _sections));
            return new(info);
        }

        public ValueTask DisposeAsync()
        {
            _done = true;
            return default;
        }
    }

    private sealed class SectionStream(Action<byte[]> closed) : MemoryStream
    {
        private Action<byte[]>? _closed = closed;

        protected override void Dispose(bool disposing)
        {
            Interlocked.Exchange(ref _closed, null)?.Invoke(ToArray());
            base.Dispose(disposing);
        }
    }

    private sealed class Handle(MemoryCheckpoint checkpoint) : ICheckpointHandle
    {
        public Stream Open(string section) => new MemoryStream(Bytes(section), writable: false);

        public MappedSection TryMap(string section) => new CopiedSection(Bytes(section));

        public ValueTask DisposeAsync() => default;

        private byte[] Bytes(string section) => checkpoint.Sections.TryGetValue(section, out var bytes)
            ? bytes
            : throw GranaryException.NotFound(
                $"mem: checkpoint {checkpoint.Info.Operation}-{checkpoint.Info.Id} has no section `{section}`");
    }

    /// <summary>A private, page-aligned copy: what mapping copy-on-write would give.</summary>
    private sealed unsafe class CopiedSection : MappedSection
    {
        private const int Page = 4096;
        private byte* _pointer;

        public CopiedSection(byte[] bytes)
        {
            // At least one page, so that the pointer is valid for an empty section too.
            _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes.Length, Page), Page);
            bytes.CopyTo(new Span<byte>(_pointer, bytes.Length));
            Length = bytes.Length;
        }

        public override byte* Pointer => _pointer;

        public override long Length { get; }

        public override void Dispose()
        {
            NativeMemory.AlignedFree(_pointer);
            _pointer = null;
        }
    }
}
