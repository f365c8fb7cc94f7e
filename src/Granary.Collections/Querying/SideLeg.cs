using System.Runtime.ExceptionServices;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// A leg that an idle core may run beside the caller's. Whoever comes first takes it: where no thread of the pool does, the caller runs
/// it itself when it has done its own.
/// </summary>
internal sealed class SideLeg : IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Offered = 1;
    private const int Taken = 2;
    private const int Done = 3;

    // Legs take microseconds; whoever waits longer than a few gives up its core.
    private const int MostSpins = 20;

    private static int _running;
    private readonly object _gate = new();
    private int _state;
    private Leg? _leg;
    private IReadOnlyList<RankedLeg>? _together;
    private int _number; // Of those that are ranked together.
    private IndexReader? _reader;
    private CancellationToken _cancellation;
    private ExceptionDispatchInfo? _error;

    /// <summary>What it found, where it is not one of several that are ranked together.</summary>
    public List<LegHit> Hits { get; } = [];

    /// <summary>Whether larger scores are better.</summary>
    public bool HigherIsBetter { get; private set; }

    /// <summary>Counts a query in; true when there are cores for one leg each of all that run.</summary>
    public static bool Enter() => Interlocked.Increment(ref _running) * 2 <= Environment.ProcessorCount;

    /// <summary>Counts a query out.</summary>
    public static void Leave() => Interlocked.Decrement(ref _running);

    /// <summary>Sets the leg up, and offers it to the pool if there are idle cores.</summary>
    public void Begin(IndexReader reader, Leg leg, bool offer, CancellationToken cancellation)
    {
        (_reader, _leg, _cancellation, _error) = (reader, leg, cancellation, null);
        Hits.Clear();
        Offer(offer);
    }

    /// <summary>The same with one of several legs that are ranked together, all of them opened.</summary>
    public void Begin(IReadOnlyList<RankedLeg> together, int number, bool offer, CancellationToken cancellation)
    {
        (_together, _number, _cancellation, _error) = (together, number, cancellation, null);
        Offer(offer);
    }

    private void Offer(bool offer)
    {
        Volatile.Write(ref _state, Offered);

        // An item that the caller took back is still in the queue; it takes the leg of a later query then, or nothing.
        if (offer)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Runs the leg if nobody did, or waits for it.</summary>
    public void End(bool run)
    {
        if (Interlocked.CompareExchange(ref _state, Taken, Offered) == Offered)
        {
            if (run)
                Run(beside: false);
        }
        else
        {
            Wait();
        }

        (_reader, _leg, _together, _cancellation) = (null, null, null, default);
        Volatile.Write(ref _state, Idle);
    }

    /// <summary>Throws what the leg threw.</summary>
    public void ThrowIfFailed() => _error?.Throw();

    /// <inheritdoc/>
    public void Execute()
    {
        if (Interlocked.CompareExchange(ref _state, Taken, Offered) == Offered)
            Run(beside: true);
    }

    private void Run(bool beside)
    {
        try
        {
            if (_together is { } together)
            {
                together[_number].Search(_cancellation);

                // What the caller does next, as long as it is still at its own leg.
                if (beside)
                    together[_number].ScoreAhead(together);
            }
            else
            {
                HigherIsBetter = _reader!.SearchInto(_leg!, Hits, _cancellation);
            }
        }
        catch (Exception e)
        {
            _error = ExceptionDispatchInfo.Capture(e);
        }

        lock (_gate)
        {
            Volatile.Write(ref _state, Done);
            Monitor.PulseAll(_gate);
        }
    }

    private void Wait()
    {
        var wait = default(SpinWait);
        while (Volatile.Read(ref _state) != Done && wait.Count < MostSpins)
            wait.SpinOnce(sleep1Threshold: -1);
        lock (_gate)
        {
            while (Volatile.Read(ref _state) != Done)
                Monitor.Wait(_gate);
        }
    }
}
