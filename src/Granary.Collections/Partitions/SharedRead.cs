namespace Granary.Collections.Partitions;

/// <summary>
/// A read that many want at once: whoever comes while one is under way shares the next, so that everybody gets what was read after
/// they came.
/// </summary>
/// <param name="read">Reads.</param>
internal sealed class SharedRead(Func<ValueTask<long>> read)
{
    private readonly Lock _lock = new();
    private Task<long>? _running;
    private Task<long>? _next;

    /// <summary>A value read after the call.</summary>
    public Task<long> ReadAsync()
    {
        lock (_lock)
        {
            if (_running is null or { IsCompleted: true } && _next is null)
                return _running = read().AsTask();
            return _next ??= AfterAsync(_running!);
        }
    }

    private async Task<long> AfterAsync(Task<long> before)
    {
        await ((Task)before).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        Task<long> mine;
        lock (_lock)
        {
            _next = null;
            mine = _running = read().AsTask();
        }

        return await mine.ConfigureAwait(false);
    }
}
