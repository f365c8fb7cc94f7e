using Granary.Collections.Ports;
using Granary.Index.Checkpoints;

namespace Granary.Collections.Tests.Support;

/// <summary>
/// Checkpoints whose publication a test may hold back, whose sections it may damage, and whose open handles it may count.
/// </summary>
internal sealed class WrappedCheckpoints(ICheckpointStore inner) : ICheckpointStore
{
    private int _open;

    /// <summary>Awaited before a publication.</summary>
    public Func<Task>? Publishing { get; set; }

    /// <summary>Called, on the writing thread, before a section is begun.</summary>
    public Action<string>? Creating { get; set; }

    /// <summary>The section that is written with one byte changed.</summary>
    public string? Damaged { get; set; }

    /// <summary>Handles that were opened and not disposed.</summary>
    public int OpenHandles => Volatile.Read(ref _open);

    /// <summary>Whether whoever owns the store let go of it.</summary>
    public bool IsDisposed { get; private set; }

    public ValueTask<IReadOnlyList<CheckpointInfo>> ListAsync(CancellationToken cancellation) => inner.ListAsync(cancellation);

    public async ValueTask<ICheckpointBuilder> BeginAsync(long operation, CancellationToken cancellation) =>
        new Builder(this, await inner.BeginAsync(operation, cancellation));

    public async ValueTask<ICheckpointHandle> OpenAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        var handle = await inner.OpenAsync(checkpoint, cancellation);
        Interlocked.Increment(ref _open);
        return new Handle(this, handle);
    }

    public ValueTask DeleteAsync(CheckpointInfo checkpoint, CancellationToken cancellation) => inner.DeleteAsync(checkpoint, cancellation);

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return inner.DisposeAsync();
    }

    private sealed class Builder(WrappedCheckpoints owner, ICheckpointBuilder inner) : ICheckpointBuilder
    {
        public Stream Create(string section)
        {
            owner.Creating?.Invoke(section);
            return section == owner.Damaged ? new DamagingStream(inner.Create(section)) : inner.Create(section);
        }

        public async ValueTask<CheckpointInfo> PublishAsync(CancellationToken cancellation)
        {
            if (owner.Publishing is { } gate)
                await gate();
            return await inner.PublishAsync(cancellation);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class Handle(WrappedCheckpoints owner, ICheckpointHandle inner) : ICheckpointHandle
    {
        public Stream Open(string section) => inner.Open(section);

        public MappedSection? TryMap(string section) => inner.TryMap(section);

        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref owner._open);
            return inner.DisposeAsync();
        }
    }

    private sealed class DamagingStream(Stream inner) : MemoryStream
    {
        private bool _done;

        protected override void Dispose(bool disposing)
        {
            if (!_done)
            {
                _done = true;
                var bytes = ToArray();
                bytes[^1] ^= 1;
                inner.Write(bytes);
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
