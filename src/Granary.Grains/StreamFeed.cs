using Granary.Collections.Ports;
using Granary.Grains.Interfaces;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Granary.Grains;

/// <summary>
/// Rings the streams of a partition's replicas. Rings that come while one is being published become one; a publication that fails is
/// logged and forgotten, since replicas look at the log by themselves.
/// </summary>
internal sealed partial class StreamFeed : IFeed, IAsyncDisposable
{
    private static readonly TimeSpan PublishLimit = TimeSpan.FromSeconds(2);
    private readonly IAsyncStream<LogGrew>[] _streams;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _bell = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _worker;
    private long _first;
    private long _last;
    private long _rungAt;

    public StreamFeed(IStreamProvider provider, PartitionKey partition, int replicas, TimeProvider time, ILogger logger)
    {
        (_time, _logger) = (time, logger);
        _streams =
        [
            .. Enumerable.Range(0, replicas)
                .Select(r => provider.GetStream<LogGrew>(StreamId.Create(GrainKeys.StreamNamespace, GrainKeys.Of(partition, r)))),
        ];
        _worker = Task.Run(PublishAsync, CancellationToken.None);
    }

    /// <inheritdoc/>
    public void Ring(long firstOperation, long lastOperation)
    {
        Interlocked.CompareExchange(ref _rungAt, _time.GetUtcNow().UtcTicks, 0);
        Interlocked.CompareExchange(ref _first, firstOperation, 0);
        var seen = Volatile.Read(ref _last);
        while (lastOperation > seen)
        {
            var before = Interlocked.CompareExchange(ref _last, lastOperation, seen);
            if (before == seen)
                break;
            seen = before;
        }

        if (_bell.CurrentCount == 0)
        {
            try
            {
                _bell.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else has rung meanwhile.
            }
            catch (ObjectDisposedException)
            {
                // Nobody listens any more.
            }
        }
    }

    /// <summary>Stops publishing.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _worker.ConfigureAwait(false);
        _bell.Dispose();
        _stopping.Dispose();
    }

    private async Task PublishAsync()
    {
        try
        {
            while (true)
            {
                await _bell.WaitAsync(_stopping.Token).ConfigureAwait(false);
                var at = Interlocked.Exchange(ref _rungAt, 0);
                var rung = new LogGrew(
                    Interlocked.Exchange(ref _first, 0), Volatile.Read(ref _last),
                    at == 0 ? _time.GetUtcNow() : new DateTimeOffset(at, TimeSpan.Zero));
                foreach (var stream in _streams)
                    await PublishAsync(stream, rung).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private async Task PublishAsync(IAsyncStream<LogGrew> stream, LogGrew rung)
    {
        try
        {
            // Neither the other streams nor the grain's end wait for a queue on a silo that is gone.
            await stream.OnNextAsync(rung).WaitAsync(PublishLimit, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogLost(_logger, rung.Last, stream.StreamId.ToString(), e);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "The doorbell for operation {Operation} on stream {Stream} was lost")]
    private static partial void LogLost(ILogger logger, long operation, string stream, Exception e);
}
