using System.Numerics;

namespace Granary.Index.Payload;

/// <summary>The slots among which an index finds every one that satisfies a condition.</summary>
internal abstract class IndexMatch
{
    /// <summary>At most so many slots.</summary>
    public abstract long Count { get; }

    /// <summary>Probably so many slots satisfy the condition.</summary>
    public virtual long Expected => Count;

    /// <summary>Whether <see cref="Count"/> counts no slot twice.</summary>
    public virtual bool IsDistinct => false;

    /// <summary>Whether every slot satisfies the condition.</summary>
    public bool IsExact { get; init; }

    /// <summary>Whether <see cref="Test"/> is quick.</summary>
    public virtual bool CanTest => false;

    /// <summary>Whether the slot is among them.</summary>
    public virtual bool Test(int slot) => throw new NotSupportedException();

    /// <summary>What <see cref="Fill"/> costs, in bits set one by one.</summary>
    public virtual long FillCost => Count;

    /// <summary>Sets the bits of the slots; those that are set already stay.</summary>
    public abstract void Fill(SlotBits bits);
}

/// <summary>A bit a slot.</summary>
internal readonly struct SlotBits(ulong[] words, int bound)
{
    public ulong[] Words { get; } = words;

    /// <summary>Slots are below it.</summary>
    public int Bound => bound;

    private int Used => (bound + 63) >> 6;

    public void Set(int slot)
    {
        if (slot < bound)
            Words[slot >> 6] |= 1UL << slot;
    }

    public void Clear(int slot)
    {
        if (slot < bound)
            Words[slot >> 6] &= ~(1UL << slot);
    }

    /// <summary>Leaves the bits that the other has as well.</summary>
    public void And(SlotBits other)
    {
        for (var i = 0; i < Used; i++)
            Words[i] &= other.Words[i];
    }

    /// <summary>Clears the bits that the other has.</summary>
    public void AndNot(SlotBits other)
    {
        for (var i = 0; i < Used; i++)
            Words[i] &= ~other.Words[i];
    }

    /// <summary>Sets the bits that the other has. True.</summary>
    public bool Or(SlotBits other)
    {
        for (var i = 0; i < Used; i++)
            Words[i] |= other.Words[i];
        return true;
    }

    /// <summary>How many bits are set.</summary>
    public long Count()
    {
        var count = 0L;
        for (var i = 0; i < Used; i++)
            count += BitOperations.PopCount(Words[i]);
        return count;
    }

    /// <summary>Sets the bits of 64 slots, from slot 64 x <paramref name="word"/> on.</summary>
    public void Or(int word, ulong bits)
    {
        if (word < Used - 1 || (word == Used - 1 && (bound & 63) == 0))
            Words[word] |= bits;
        else if (word == Used - 1)
            Words[word] |= bits & ((1UL << bound) - 1);
    }

    /// <summary>Clears all bits.</summary>
    public void Clear() => Words.AsSpan(0, Used).Clear();

    /// <summary>Sets all bits.</summary>
    public void SetAll()
    {
        for (var i = 0; i < Used; i++)
            Or(i, ulong.MaxValue);
    }

    public bool Test(int slot) => slot < bound && (Words[slot >> 6] & (1UL << slot)) != 0;

    public int[] ToArray()
    {
        var count = 0;
        var used = (bound + 63) >> 6;
        for (var i = 0; i < used; i++)
            count += BitOperations.PopCount(Words[i]);
        var slots = new int[count];
        var at = 0;
        for (var i = 0; i < used; i++)
        {
            for (var word = Words[i]; word != 0; word &= word - 1)
                slots[at++] = (i << 6) + BitOperations.TrailingZeroCount(word);
        }

        return slots;
    }
}

/// <summary>The slots of several matches together.</summary>
internal sealed class UnionMatch(IReadOnlyList<IndexMatch> parts) : IndexMatch
{
    private const int FewParts = 16;

    public override long Count => parts.Sum(static p => p.Count);

    public override long Expected => parts.Sum(static p => p.Expected);

    public override long FillCost => parts.Sum(static p => p.FillCost);

    public override bool CanTest => parts.Count <= FewParts && parts.All(static p => p.CanTest);

    public override bool Test(int slot)
    {
        foreach (var part in parts)
        {
            if (part.Test(slot))
                return true;
        }

        return false;
    }

    public override void Fill(SlotBits bits)
    {
        foreach (var part in parts)
            part.Fill(bits);
    }
}
