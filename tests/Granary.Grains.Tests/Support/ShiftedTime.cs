namespace Granary.Grains.Tests.Support;

/// <summary>The system's clock, set forward: timers and timestamps stay as they are.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _ahead;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Volatile.Read(ref _ahead));

    public void Forward(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);
}
