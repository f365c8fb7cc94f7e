using Granary.Index.Search;

namespace Granary.Index.Tests.Text;

/// <summary>Accepts every slot.</summary>
internal struct AllSlots : ISlotFilter
{
    public readonly bool TryAccept(ref int slot) => true;

    public readonly bool Precedes(int slot, int other) => slot < other;
}

/// <summary>Accepts the slots of a set and counts how often it was asked.</summary>
internal struct SomeSlots(HashSet<int> slots) : ISlotFilter
{
    public int Asked;

    public bool TryAccept(ref int slot)
    {
        Asked++;
        return slots.Contains(slot);
    }

    public readonly bool Precedes(int slot, int other) => slot < other;
}
