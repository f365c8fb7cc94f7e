using Granary.Collections.Ports;
using Granary.Storage.Conformance;
using Granary.Storage.Memory;

namespace Granary.Storage.Tests;

public sealed class MemoryLeases : LeaseConformance
{
    private readonly SteppedTime _time = new();

    protected override Task<IStorage> OpenEmptyAsync() => Task.FromResult<IStorage>(new MemoryStorage(_time));

    protected override Task PassAsync(TimeSpan time)
    {
        _time.Now += time.Ticks;
        return Task.CompletedTask;
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _now = 1;

        public long Now
        {
            get => Volatile.Read(ref _now);
            set => Volatile.Write(ref _now, value);
        }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
