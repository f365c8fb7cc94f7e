using Orleans.Placement;

namespace Granary.Grains.Placement;

/// <summary>A partition's grains are where the placement plan has the replica.</summary>
[Serializable]
internal sealed class PlannedPlacement : PlacementStrategy
{
    public static PlannedPlacement Instance { get; } = new();
}

/// <summary>Puts a grain where the placement plan has its replica.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class PlannedPlacementAttribute() : PlacementAttribute(PlannedPlacement.Instance);

/// <summary>A grain whose key names a silo is on that silo.</summary>
[Serializable]
internal sealed class NamedSiloPlacement : PlacementStrategy
{
    public static NamedSiloPlacement Instance { get; } = new();
}

/// <summary>Puts a grain on the silo its key names.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NamedSiloPlacementAttribute() : PlacementAttribute(NamedSiloPlacement.Instance);
