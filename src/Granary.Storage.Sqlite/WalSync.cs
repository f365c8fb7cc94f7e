using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Sqlite;

/// <summary>
/// With <c>synchronous=NORMAL</c> SQLite syncs the write-ahead log only when it moves it into the database. This long-lived worker
/// syncs it a moment after every write.
/// </summary>
internal sealed class WalSync : IAsyncDisposable
{
    private readonly SemaphoreSlim _requested = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly SqliteDatabase _database;
    private readonly Task _running;
    private int _waiting;

    public WalSync(SqliteDatabase database)
    {
        _database = database;
        _running = database.Options.Durability == Durability.Process ? Task.Run(RunAsync) : Task.CompletedTask;
    }

    /// <summary>Asks for a sync. Never waits.</summary>
    public void Request()
    {
        if (Interlocked.Exchange(ref _waiting, 1) == 0)
            _requested.Release();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
        _requested.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _requested.WaitAsync(_stop.Token).ConfigureAwait(false);
                await Task.Delay(_database.Options.SyncDelay, _database.Options.Time, _stop.Token).ConfigureAwait(false);
                Volatile.Write(ref _waiting, 0);
                Sync();
            }
        }
        catch (OperationCanceledException)
        {
            // SQLite syncs when its last connection is closed.
        }
    }

    private void Sync()
    {
        try
        {
            _database.SyncLog();
        }
        catch (GranaryException)
        {
            // SQLite meets the same disk with its next write, and reports it there.
        }
    }
}
