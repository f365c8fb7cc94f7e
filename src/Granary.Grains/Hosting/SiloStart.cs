using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Hosting;

/// <summary>
/// Starts the engine once the silo is a member of the cluster; hands everything over before the silo stops, which is after the REST API has
/// stopped taking requests.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="limit">How long handing over may take.</param>
internal sealed class SiloStart(SiloEngine engine, TimeSpan limit) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => engine.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
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
