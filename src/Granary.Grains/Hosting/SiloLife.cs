namespace Granary.Grains.Hosting;

/// <summary>
/// Starts the engine as the last thing a silo does when it starts, and hands everything over as the first thing it does when it stops: it
/// takes part in the cluster from the one to the other.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="limit">How long handing over may take.</param>
internal sealed class SiloLife(SiloEngine engine, TimeSpan limit) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(SiloLife), ServiceLifecycleStage.Last, engine.StartAsync, LeaveAsync);

    private async Task LeaveAsync(CancellationToken cancellation)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(limit);
        try
        {
            await engine.LeaveAsync(limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // What is not handed over in time is opened from checkpoint and log elsewhere.
        }
    }
}
