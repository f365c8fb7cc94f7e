using Granary.Collections.Ports;

namespace Granary.Collections.Partitions;

/// <summary>
/// Calls that one thread begins one right after the other, as a query does that asks several partitions: those that go to the same place
/// travel together. A port that can carry several adds its call here instead of sending it.
/// </summary>
public sealed class CallBurst : IDisposable
{
    [ThreadStatic]
    private static CallBurst? _current;

    private readonly CallBurst? _outer = _current;
    private readonly List<(ICallCarrier Carrier, List<BurstCall> Calls)> _places = [];

    private CallBurst() => _current = this;

    /// <summary>The burst of this thread; null outside of one.</summary>
    public static CallBurst? Current => _current;

    /// <summary>Begins one; disposing it, on the same thread, sends what was added.</summary>
    public static CallBurst Begin() => new();

    /// <summary>Adds a call to those that go to a place; answers with its answer.</summary>
    public Task<ReadOnlyMemory<byte>> Add(ICallCarrier carrier, BurstCall call)
    {
        foreach (var (place, calls) in _places)
        {
            if (!ReferenceEquals(place, carrier))
                continue;
            calls.Add(call);
            return call.Task;
        }

        _places.Add((carrier, [call]));
        return call.Task;
    }

    /// <summary>Sends what was added.</summary>
    public void Dispose()
    {
        _current = _outer;
        foreach (var (carrier, calls) in _places)
            carrier.Send(calls);
    }
}

/// <summary>Carries calls to one place.</summary>
public interface ICallCarrier
{
    /// <summary>Sends the calls and completes each of them in the end. Returns at once; does not throw.</summary>
    void Send(IReadOnlyList<BurstCall> calls);
}

/// <summary>One call of a burst.</summary>
/// <param name="partition">Whom it asks.</param>
/// <param name="call">What for.</param>
/// <param name="request">The request.</param>
/// <param name="alone">Makes the call by itself.</param>
/// <param name="cancellation">Ends it.</param>
public sealed class BurstCall(
    PartitionKey partition, ReplicaCall call, ReadOnlyMemory<byte> request, Func<Task<ReadOnlyMemory<byte>>> alone,
    CancellationToken cancellation)
    : TaskCompletionSource<ReadOnlyMemory<byte>>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>What the caller's trace goes by.</summary>
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    /// <summary>Whom it asks.</summary>
    public PartitionKey Partition => partition;

    /// <summary>What for.</summary>
    public ReplicaCall Call => call;

    /// <summary>The request.</summary>
    public ReadOnlyMemory<byte> Request => request;

    /// <summary>Ends it.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>Begins something in the caller's name, so that its trace goes on there.</summary>
    public void Begin(Action begin)
    {
        if (_context is null)
            begin();
        else
            ExecutionContext.Run(_context, static b => ((Action)b!)(), begin);
    }

    /// <summary>Makes the call by itself after all, and completes this with what comes of it.</summary>
    public async Task RunAloneAsync()
    {
        try
        {
            SetResult(await alone().ConfigureAwait(false));
        }
        catch (Exception e)
        {
            SetException(e);
        }
    }
}
