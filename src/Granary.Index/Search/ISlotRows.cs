namespace Granary.Index.Search;

/// <summary>Rows that belong to slots, as a column needs them.</summary>
internal interface ISlotRows
{
    /// <summary>One more than the largest row.</summary>
    int RowCapacity { get; }

    /// <summary>Bytes held.</summary>
    long Bytes { get; }

    /// <summary>The newest slot of a row; negative when it was removed.</summary>
    int SlotOf(int row);

    /// <summary>Gives a row to a newer slot.</summary>
    void Retarget(int row, int slot);

    /// <summary>Removes a row.</summary>
    void Remove(int row);
}
