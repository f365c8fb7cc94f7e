using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Memory;

/// <summary>How an append fails.</summary>
public enum AppendFault
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>With a <see cref="GranaryException"/>, nothing appended.</summary>
    BeforeEffect,

    /// <summary>With an <see cref="IOException"/>, everything appended: the ambiguous failure of a lost connection.</summary>
    AfterEffect,

    /// <summary>With an <see cref="ErrorKind.InsufficientStorage"/> error, nothing appended.</summary>
    DiskFull,
}

/// <summary>Failures a test asks of a <see cref="MemoryStorage"/>. May be set at any time.</summary>
public sealed class MemoryFaults
{
    private readonly Lock _lock = new();
    private readonly Queue<AppendFault> _appends = new();
    private int _publishes;

    /// <summary>While true, every append and every checkpoint is refused for lack of room.</summary>
    public bool DiskFull { get; set; }

    /// <summary>Awaited before every append takes effect, so that a test can hold writers back; null lets them pass.</summary>
    public Func<PartitionKey, Task>? AppendGate { get; set; }

    /// <summary>Makes the next appends, of whatever partition, fail so, after those asked for before.</summary>
    public void FailAppends(AppendFault fault, int count = 1)
    {
        lock (_lock)
        {
            for (var i = 0; i < count; i++)
                _appends.Enqueue(fault);
        }
    }

    /// <summary>Makes the next publications of a checkpoint fail.</summary>
    public void FailPublishes(int count = 1) => Interlocked.Add(ref _publishes, count);

    internal AppendFault NextAppend()
    {
        lock (_lock)
            return _appends.TryDequeue(out var fault) ? fault : DiskFull ? AppendFault.DiskFull : AppendFault.None;
    }

    internal void CheckPublish()
    {
        if (DiskFull)
            throw Full();
        if (Volatile.Read(ref _publishes) > 0 && Interlocked.Decrement(ref _publishes) >= 0)
            throw new GranaryException(ErrorKind.Internal, "mem: publishing the checkpoint failed, as asked by a test");
    }

    internal static GranaryException Full() => new(ErrorKind.InsufficientStorage, "mem: no room left");
}
