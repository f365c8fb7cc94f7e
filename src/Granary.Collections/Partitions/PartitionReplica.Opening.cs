
namespace Granary.Collections.Partitions;

public sealed partial class PartitionReplica
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>The long-lived worker: opens, waits for a fault, closes, opens again.</summary>
    private async Task RunAsync()
    {
        var stop = _stopping.Token;
        var pause = FirstPause;
        try
        {
            while (true)
            {
                _state = ReplicaState.Opening;
                var opened = _options.Time.GetTimestamp();
                try
                {
                    CollectionConfig config;
                    lock (_lock)
                        config = _config;
                    var engine = await ReplicaEngine.OpenAsync(_options, _role, config, stop).ConfigureAwait(false);
                    Publish(engine);
                    var fault = await engine.Faulted.WaitAsync(stop).ConfigureAwait(false);
                    _reason = fault.Message;
                }
                catch (Exception e) when (!stop.IsCancellationRequested)
                {
                    // Whatever it was: the storage may be back, or the collection be dropped, in which case the replica is disposed.
                    _reason = $"it could not be opened ({e.Message})";
                }

                _state = ReplicaState.Faulted;
                await RetractAsync().ConfigureAwait(false);
                // One that ran for a while begins with a short pause again.
                if (_options.Time.GetElapsedTime(opened) > LongestPause)
                    pause = FirstPause;
                await Task.Delay(pause, _options.Time, stop).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        finally
        {
            _state = ReplicaState.Closed;
            _reason = "it is closed";
            await RetractAsync().ConfigureAwait(false);
            _opened.TrySetException(ReplicaEngine.Unavailable(_options, "it is closed"));
            _ = _opened.Task.Exception;
        }
    }

    private void Publish(ReplicaEngine engine)
    {
        lock (_lock)
        {
            _engine = engine;
            engine.Use(_config);
            engine.FollowRole(_config);
            if (!_standsBy)
                engine.TakeLease();
            _state = ReplicaState.Open;
            _opened.TrySetResult(engine);
        }
    }

    private async ValueTask RetractAsync()
    {
        ReplicaEngine? engine;
        lock (_lock)
        {
            (engine, _engine) = (_engine, null);
            if (engine is not null && _state != ReplicaState.Closed)
                _opened = NewOpened();
        }

        if (engine is not null)
            await engine.DisposeAsync().ConfigureAwait(false);
    }

    private Task<ReplicaEngine> Opened()
    {
        lock (_lock)
            return _opened.Task;
    }

    private static TaskCompletionSource<ReplicaEngine> NewOpened() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
