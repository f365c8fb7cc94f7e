namespace Granary.Grains.Tests.Support;

/// <summary>The system's clock, by which no silo looks at the catalog of its own accord.</summary>
internal sealed class InattentiveTime : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, period == TimeSpan.FromSeconds(5) ? Timeout.InfiniteTimeSpan : dueTime, period);
}
