using Granary.Collections.Ports;

namespace Granary.Collections.Tests.Support;

/// <summary>A feed that loses, repeats, reorders and delays rings, as a seed says.</summary>
internal sealed class FaultyFeed(IFeed inner, int seed) : IFeed
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);
    private readonly List<(long First, long Last)> _held = [];

    public void Ring(long firstOperation, long lastOperation)
    {
        lock (_lock)
        {
            switch (_random.Next(4))
            {
                case 0:
                    return;
                case 1:
                    inner.Ring(firstOperation, lastOperation);
                    inner.Ring(firstOperation, lastOperation);
                    return;
                case 2:
                    _held.Add((firstOperation, lastOperation));
                    return;
                default:
                    inner.Ring(firstOperation, lastOperation);
                    // Late and in the wrong order.
                    for (var i = _held.Count - 1; i >= 0; i--)
                        inner.Ring(_held[i].First, _held[i].Last);
                    _held.Clear();
                    return;
            }
        }
    }
}
