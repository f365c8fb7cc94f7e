using System.Threading.Channels;
using Granary.Storage.Files.Log;

namespace Granary.Storage.Files;

/// <summary>
/// The one long-lived worker of a storage: syncs logs a moment after they were written to, each once however often that was.
/// </summary>
internal sealed class SyncWorker : IAsyncDisposable
{
    private static readonly ParallelOptions Width = new() { MaxDegreeOfParallelism = 16 };
    private readonly Channel<FileLog> _written = Channel.CreateUnbounded<FileLog>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _delay;
    private readonly Task _running;

    public SyncWorker(TimeProvider time, TimeSpan delay)
    {
        (_time, _delay) = (time, delay);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Asks for a sync of the log. Never waits.</summary>
    public void Enqueue(FileLog log)
    {
        if (log.BeginWaitingForSync())
            _written.Writer.TryWrite(log);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var batch = new List<FileLog>();
        try
        {
            while (await _written.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
            {
                await Task.Delay(_delay, _time, _stop.Token).ConfigureAwait(false);
                batch.Clear();
                while (_written.Reader.TryRead(out var log))
                    batch.Add(log);
                // A disk takes syncs of several files at once; a slow one does not hold up the others for long.
                Parallel.ForEach(batch, Width, Sync);
            }
        }
        catch (OperationCanceledException)
        {
            // Logs sync themselves when they are closed.
        }
    }

    private static void Sync(FileLog log)
    {
        try
        {
            log.EndWaitingForSync();
            log.Sync();
        }
        catch (Exception)
        {
            // The log remembers whatever it was, and refuses the next append with it; the other logs are synced all the same.
        }
    }
}
