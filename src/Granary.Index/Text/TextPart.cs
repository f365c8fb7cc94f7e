using System.Runtime.InteropServices;
using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <summary>Some postings of a query's term: those laid out before, or those that came since.</summary>
internal sealed class TextPart
{
    /// <summary>For postings that came since.</summary>
    public ImpactList Own { get; } = new();

    /// <summary><see cref="ImpactList.Groups"/>.</summary>
    public int[]? Groups { get; private set; }

    /// <summary><see cref="ImpactList.Places"/>.</summary>
    public int Places { get; private set; }

    /// <summary><see cref="ImpactList.Starts"/>.</summary>
    public int[] Starts { get; private set; } = [];

    /// <summary><see cref="ImpactList.Bounds"/>.</summary>
    public byte[] Bounds { get; private set; } = [];

    /// <summary><see cref="ImpactList.Rows"/>.</summary>
    public ulong[] Rows { get; private set; } = [];

    /// <summary><see cref="ImpactList.Frequencies"/>.</summary>
    public byte[] Frequencies { get; private set; } = [];

    public PostingList Postings { get; set; } = null!;

    /// <summary>The term's number in the query.</summary>
    public int Term { get; set; }

    /// <summary>What the term adds to a document it fills.</summary>
    public double Weight { get; set; }

    /// <summary>The weight in steps of the added bounds, rounded up.</summary>
    public ushort Scale { get; set; }

    /// <summary>The place reached so far, where groups are visited in order.</summary>
    public int Place { get; set; }

    /// <summary>A place to come back to.</summary>
    public int Mark { get; set; }

    /// <summary>The first group that another part of the term may have postings in.</summary>
    public int WholeBelow { get; set; }

    /// <summary>The first group; above all groups where there is none.</summary>
    public int FirstGroup => Places == 0 ? int.MaxValue : Groups is { } groups ? groups[0] : 0;

    /// <summary>The group at the place reached; above all groups at the end.</summary>
    public int Group => Place >= Places ? int.MaxValue : Groups is { } groups ? groups[Place] : Place;

    /// <summary>Takes the postings of a list, as it is now.</summary>
    public void Open(ImpactList list)
    {
        (Groups, Places, Starts, Bounds) = (list.Groups, list.Places, list.Starts, list.Bounds);
        (Rows, Frequencies) = (list.Rows, list.Frequencies);
        Place = 0;
    }

    /// <summary>The bounds of a place's cells, a byte each, the first lowest.</summary>
    public uint BoundsOf(int place) => MemoryMarshal.Cast<byte, uint>(Bounds)[place];

    /// <summary>The place of a group, -1 where it has none; groups must ascend.</summary>
    public int Seek(int group)
    {
        if (Groups is not { } groups)
            return group < Places ? group : -1;
        var place = Reach(groups, Place, Places, group);
        Place = place;
        return place < Places && groups[place] == group ? place : -1;
    }

    /// <summary>The first place from one on whose group is not below another: doubling steps, then halving ones.</summary>
    public static int Reach(int[] groups, int place, int places, int group)
    {
        if (place >= places || groups[place] >= group)
            return place;
        var step = 1;
        while (place + step < places && groups[place + step] < group)
        {
            place += step;
            step *= 2;
        }

        var end = Math.Min(place + step, places);
        place++;
        while (place < end)
        {
            var middle = (place + end) >>> 1;
            if (groups[middle] < group)
                place = middle + 1;
            else
                end = middle;
        }

        return place;
    }
}
