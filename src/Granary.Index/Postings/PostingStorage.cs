namespace Granary.Index.Postings;

/// <summary>Posting lists in an image: count, then row differences and payloads.</summary>
internal static class PostingStorage
{
    public static void Write(FrameWriter writer, PostingList list)
    {
        writer.WriteNumber((uint)list.Count);
        writer.WriteNumber((uint)list.Frequency);
        var before = -1;
        foreach (var (row, payload) in list.Enumerate())
        {
            writer.WriteNumber((uint)(row - before));
            writer.WriteNumber(payload);
            before = row;
        }
    }

    /// <summary>Reads a list, counting again those whose rows are gone.</summary>
    public static void Read<TRow>(FrameReader reader, PostingList list, RowTable<TRow> rows, BoundRule rule)
    {
        var count = reader.ReadCount(rows.Count, "a posting count");
        var frequency = reader.ReadCount(rows.Count, "a frequency");
        long row = -1;
        for (var i = 0; i < count; i++)
        {
            var step = reader.ReadNumber();
            row += step;
            if (step == 0 || row >= rows.Count)
                throw reader.Corrupted($"a posting names row {row} of {rows.Count}");
            list.Append((int)row, reader.ReadNumber(), rule);
            if (rows.SlotOf((int)row) < 0)
                list.Kill();
        }

        list.Frequency = frequency;
    }
}
