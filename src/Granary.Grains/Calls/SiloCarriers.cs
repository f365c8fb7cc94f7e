using System.Collections.Concurrent;
using Granary.Collections.Partitions;
using Granary.Collections.Wire;
using Granary.Grains.Interfaces;

namespace Granary.Grains.Calls;

/// <summary>What carries several replicas' calls to one silo in one message.</summary>
/// <param name="grains">Makes grain references.</param>
internal sealed class SiloCarriers(IGrainFactory grains)
{
    private const int Most = 256;
    private readonly ConcurrentDictionary<SiloAddress, Carrier> _carriers = [];

    /// <summary>The one for a silo.</summary>
    public ICallCarrier Of(SiloAddress silo)
    {
        // Silos that are gone leave theirs behind.
        if (_carriers.Count > Most)
            _carriers.Clear();
        return _carriers.GetOrAdd(
            silo, static (address, grains) => new Carrier(grains.GetGrain<ISiloGrain>(address.ToParsableString())), grains);
    }

    private sealed class Carrier(ISiloGrain grain) : ICallCarrier
    {
        public void Send(IReadOnlyList<BurstCall> calls) =>
            calls[0].Begin(() => _ = calls.Count == 1 ? calls[0].RunAloneAsync() : SendAsync(calls));

        private async Task SendAsync(IReadOnlyList<BurstCall> calls)
        {
            // The message is given up once nobody waits for any of its answers.
            using var over = new CancellationTokenSource();
            var waiting = calls.Count;
            var registrations = calls.Select(c => c.Cancellation.UnsafeRegister(_ => GiveUp(), null)).ToArray();
            try
            {
                var replies = await grain.AskAsync(
                    [.. calls.Select(c => new ReplicaAsk(c.Partition.Incarnation, c.Partition.Number, c.Call, new Bytes(c.Request)))],
                    over.Token).ConfigureAwait(false);
                for (var i = 0; i < calls.Count; i++)
                    Complete(calls[i], replies[i]);
            }
            catch (Exception e)
            {
                var told = Faults.IsTransport(e) ? Faults.Unavailable("The silo", e) : e;
                foreach (var call in calls)
                    call.TrySetException(told);
            }
            finally
            {
                foreach (var registration in registrations)
                    await registration.DisposeAsync().ConfigureAwait(false);
            }

            void GiveUp()
            {
                if (Interlocked.Decrement(ref waiting) == 0)
                    over.Cancel();
            }
        }

        private static void Complete(BurstCall call, Reply<Bytes> reply)
        {
            // No answer has no bytes at all: the replica is not there, and its grain knows where it is.
            if (reply.Error.IsEmpty && reply.Value.Memory.IsEmpty)
                _ = call.RunAloneAsync();
            else if (reply.Error.IsEmpty)
                call.TrySetResult(reply.Value.Memory);
            else
                call.TrySetException(ErrorWire.Decode(reply.Error));
        }
    }
}
