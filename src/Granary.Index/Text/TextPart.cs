using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <summary>Some postings of a query's term: those laid out before, or those that came since.</summary>
internal sealed class TextPart
{
    /// <summary>For postings that came since.</summary>
    public ImpactList Own { get; } = new();

    public ImpactList List { get; set; } = null!;

    public PostingList Postings { get; set; } = null!;

    /// <summary>The term's number in the query.</summary>
    public int Term { get; set; }

    /// <summary>What the term adds to a document it fills.</summary>
    public double Weight { get; set; }

    /// <summary>The weight in steps of the added bounds, rounded up.</summary>
    public ushort Scale { get; set; }

    /// <summary>The place reached so far, where groups are visited in order.</summary>
    public int Place { get; set; }

    /// <summary>The group at the place reached; above all groups at the end.</summary>
    public int Group => Place >= List.Places ? int.MaxValue : List.Groups is { } groups ? groups[Place] : Place;

    /// <summary>What a cell of a place adds to the cell's bound.</summary>
    public uint Share(int place, int cell) => GroupBounds.Share(
        List.Bounds[(place * ImpactList.CellsPerGroup) + (cell & (ImpactList.CellsPerGroup - 1))], Scale);

    /// <summary>The place of a group, -1 where it has none; groups must ascend.</summary>
    public int Seek(int group)
    {
        var list = List;
        if (list.Groups is not { } groups)
            return group < list.Places ? group : -1;
        var place = Place;
        if (place >= list.Places || groups[place] > group)
            return -1;
        if (groups[place] < group)
        {
            // Doubling steps, then halving ones.
            var step = 1;
            while (place + step < list.Places && groups[place + step] < group)
            {
                place += step;
                step *= 2;
            }

            var end = Math.Min(place + step, list.Places);
            place++;
            while (place < end)
            {
                var middle = (place + end) >>> 1;
                if (groups[middle] < group)
                    place = middle + 1;
                else
                    end = middle;
            }

            Place = place;
            if (place >= list.Places || groups[place] != group)
                return -1;
        }

        return place;
    }
}
