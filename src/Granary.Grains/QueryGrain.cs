using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Orleans.Concurrency;

namespace Granary.Grains;

/// <summary>Answers reads on the silo that got them: asks every partition at once, merges each leg over all of them, fuses once.</summary>
[StatelessWorker, Reentrant]
internal sealed class QueryGrain(SiloEngine engine) : Grain, IQueryGrain
{
    /// <inheritdoc/>
    public Task<Reply<ReadAnswer>> ReadAsync(ReadWork work)
    {
        var name = this.GetPrimaryKeyString();
        // Off the turn: planning and fusing take the processor's time.
        return Task.Run(
            () => Reply.OfAsync(async () => new ReadAnswer(
                await work.RunAsync(await engine.CollectionAsync(name, work.Cancellation)))),
            work.Cancellation);
    }
}
