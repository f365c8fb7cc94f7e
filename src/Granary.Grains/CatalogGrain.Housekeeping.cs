using Granary.Collections.Catalog;
using Microsoft.Extensions.Logging;

namespace Granary.Grains;

/// <summary>
/// What crashes leave behind: partitions that lack a change of the schema, storage without a collection. And how large collections are: one
/// measures for all, so that all place replicas alike.
/// </summary>
internal sealed partial class CatalogGrain
{
    private const string Reminder = "housekeeping";
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private readonly TaskCompletionSource _reconciled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private static readonly TimeSpan MeasureEvery = TimeSpan.FromMinutes(10);
    private Task<IReadOnlyList<Guid>>? _sweep;
    private Task<IReadOnlyList<string>>? _measuring;
    private long? _measured;
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

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> MeasureAsync()
    {
        if (_measuring is not { IsCompleted: false })
            _measuring = ClassifyAsync();
        return _measuring;
    }

    private async Task KeepHouseAsync(CancellationToken cancellation)
    {
        await ReconcileAndSweepAsync(cancellation);
        if (_measured is { } last && engine.Time.GetElapsedTime(last) < MeasureEvery)
            return;
        try
        {
            await MeasureAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogUnmeasured(logger, e);
        }
    }

    private async Task ReconcileAndSweepAsync(CancellationToken cancellation)
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

    private async Task<IReadOnlyList<string>> ClassifyAsync()
    {
        var database = await engine.DatabaseAsync(default);
        var changed = await database.MeasureAsync(default);
        _measured = engine.Time.GetTimestamp();
        if (changed.Count > 0)
        {
            LogClassified(logger, string.Join(", ", changed));
            await engine.RefreshAsync(default);
            await engine.TellAsync();
        }

        return changed;
    }

    [LoggerMessage(2, LogLevel.Information, "Dropped incarnation {Incarnation}, which no collection owns")]
    private static partial void LogDropped(ILogger logger, Guid incarnation);

    [LoggerMessage(3, LogLevel.Warning, "What crashes left behind could not be looked after; it is tried again in a minute")]
    private static partial void LogUnkept(ILogger logger, Exception e);

    [LoggerMessage(4, LogLevel.Information, "Collections have another size class now, and are placed by it: {Names}")]
    private static partial void LogClassified(ILogger logger, string names);

    [LoggerMessage(5, LogLevel.Warning, "Collections could not be measured; it is tried again in a minute")]
    private static partial void LogUnmeasured(ILogger logger, Exception e);
}
