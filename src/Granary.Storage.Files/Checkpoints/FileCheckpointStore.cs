using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Checkpoints;

/// <summary>A partition's checkpoints, a folder each.</summary>
/// <param name="files">Where.</param>
/// <param name="folder">The folder of them all.</param>
/// <param name="time">Names them.</param>
/// <param name="syncLog">Syncs the partition's log.</param>
internal sealed class FileCheckpointStore(IFileSystem files, string folder, TimeProvider time, Action syncLog) : ICheckpointStore
{
    private static long _lastTicks;

    public ValueTask<IReadOnlyList<CheckpointInfo>> ListAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Guarded<IReadOnlyList<CheckpointInfo>>("listing checkpoints", () =>
        [
            .. files.List(folder)
                .Where(e => e.IsFolder && CheckpointFolder.TryParse(e.Name, out _, out _))
                .OrderByDescending(e => e.Name, StringComparer.Ordinal)
                .Select(e => CheckpointFolder.Info(e.Name, files.List(Path.Combine(folder, e.Name)).Sum(f => f.Length))),
        ]);
    }

    public ValueTask<ICheckpointBuilder> BeginAsync(long operation, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Guarded<ICheckpointBuilder>(
            "beginning a checkpoint", () => new FileCheckpointBuilder(files, folder, operation, Now(), syncLog));
    }

    public ValueTask<ICheckpointHandle> OpenAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var path = Path.Combine(folder, CheckpointFolder.Name(checkpoint.Operation, checkpoint.Id));
        if (!files.Exists(path))
            throw GranaryException.NotFound($"{path}: there is no such checkpoint");
        return Guarded<ICheckpointHandle>("opening a checkpoint", () => new FileCheckpointHandle(files, path));
    }

    public ValueTask DeleteAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var name = CheckpointFolder.Name(checkpoint.Operation, checkpoint.Id);
        var path = Path.Combine(folder, name);
        if (!files.Exists(path))
            return default;
        _ = Guarded("deleting a checkpoint", () =>
        {
            // First the name, durably: a checkpoint with some of its files gone is never taken for a whole one.
            var old = Path.Combine(folder, CheckpointFolder.OldPrefix + name);
            files.Rename(path, old);
            files.SyncFolder(folder);
            files.DeleteFolder(old);
            return true;
        });
        return default;
    }

    public ValueTask DisposeAsync() => default;

    /// <summary>The time, later at every call.</summary>
    private DateTimeOffset Now()
    {
        var now = time.GetUtcNow().UtcTicks;
        while (true)
        {
            var last = Volatile.Read(ref _lastTicks);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref _lastTicks, next, last) == last)
                return new DateTimeOffset(next, TimeSpan.Zero);
        }
    }

    private ValueTask<T> Guarded<T>(string step, Func<T> work)
    {
        try
        {
            return new(work());
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            throw FileErrors.From(step, folder, e);
        }
    }
}
