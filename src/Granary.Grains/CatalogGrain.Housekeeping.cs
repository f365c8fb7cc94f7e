using Granary.Collections.Catalog;
using Microsoft.Extensions.Logging;

namespace Granary.Grains;

/// <summary>What crashes leave behind: partitions that lack a change of the schema, storage without a collection.</summary>
internal sealed partial class CatalogGrain
{
    private const string Reminder = "housekeeping";
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private readonly TaskCompletionSource _reconciled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<IReadOnlyList<Guid>>? _sweep;
    private bool _reminds;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Between changes, not before them: partitions that are being opened are waited for.
        this.RegisterGrainTimer(KeepHouseAsync, new GrainTimerCreationOptions(TimeSpan.Zero, Every) { Interleave = true });
        return Task.CompletedTask;
    }

    /// <summary>The reminder's only purpose is that the grain is active somewhere; its timer does the rest.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task WakeAsync() => _reconciled.Task;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Guid>> SweepAsync()
    {
        // One at a time: they share what was seen.
        if (_sweep is not { IsCompleted: false })
            _sweep = DropOrphansAsync();
        return _sweep;
    }

    private async Task KeepHouseAsync(CancellationToken cancellation)
    {
        try
        {
            if (!_reminds)
            {
                await this.RegisterOrUpdateReminder(Reminder, Every, Every);
                _reminds = true;
            }

            if (!_reconciled.Task.IsCompleted)
            {
                var database = await engine.DatabaseAsync(cancellation);
                await engine.RefreshAsync(cancellation);
                if (await database.ReconcileAsync(cancellation))
                    _reconciled.TrySetResult();
            }

            await SweepAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogUnkept(logger, e);
        }
    }

    private async Task<IReadOnlyList<Guid>> DropOrphansAsync()
    {
        var database = await engine.DatabaseAsync(default);
        // Another activation may have written it since.
        await state.ReadStateAsync();
        var orphans = await database.OrphansAsync(default);
        var (drop, seen) = OrphanWatch.Sift(state.State.Orphans, orphans, engine.Time.GetUtcNow());
        var dropped = new List<Guid>();
        foreach (var incarnation in drop)
        {
            if (!await database.DropOrphanAsync(incarnation, default))
                continue;
            LogDropped(logger, incarnation);
            dropped.Add(incarnation);
        }

        if (seen.Count > 0 || state.State.Orphans.Count > 0)
        {
            state.State.Orphans = seen;
            await state.WriteStateAsync();
        }

        return dropped;
    }

    [LoggerMessage(2, LogLevel.Information, "Dropped incarnation {Incarnation}, which no collection owns")]
    private static partial void LogDropped(ILogger logger, Guid incarnation);

    [LoggerMessage(3, LogLevel.Warning, "What crashes left behind could not be looked after; it is tried again in a minute")]
    private static partial void LogUnkept(ILogger logger, Exception e);
}
