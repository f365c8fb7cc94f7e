using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Orleans.Runtime.Placement;

namespace Granary.Grains.Placement;

/// <summary>Follows the plan; where the plan knows no place (a catalog heard of too late), the silo that asks takes it.</summary>
/// <param name="cluster">The plan.</param>
internal sealed class PlannedPlacementDirector(ClusterView cluster) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var (partition, replica) = GrainKeys.Parse(target.GrainIdentity.Key.ToString()!);
        if (cluster.PlaceOf(partition, replica) is { } planned && silos.Contains(planned))
            return Task.FromResult(planned);
        // Every silo picks the same one, also where the plan is not known yet.
        return Task.FromResult(silos.MinBy(s => s.ToParsableString(), StringComparer.Ordinal)!);
    }
}

/// <summary>Puts a grain on the silo its key names.</summary>
internal sealed class NamedSiloPlacementDirector : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var named = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        return context.GetCompatibleSilos(target).Contains(named)
            ? Task.FromResult(named)
            : throw new SiloUnavailableException($"Silo {named} is not there");
    }
}
