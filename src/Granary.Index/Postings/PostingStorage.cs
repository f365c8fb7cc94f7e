namespace Granary.Index.Postings;

/// <summary>Posting lists in an image: count, then row differences and payloads.</summary>
internal static class PostingStorage
{
    /// <summary>Writes the postings of rows below a bound; later ones may be appended meanwhile.</summary>
    public static void Write(FrameWriter writer, PostingList list, int rows, int frequency)
    {
        var count = 0;
        foreach (var (row, _) in list.Enumerate())
            count += row < rows ? 1 : 0;
        writer.WriteNumber((uint)count);
        writer.WriteNumber((uint)frequency);
        var before = -1;
        foreach (var (row, payload) in list.Enumerate())
        {
            // They ascend.
            if (row >= rows)
                break;
            writer.WriteNumber((uint)(row - before));
            writer.WriteNumber(payload);
            before = row;
        }
    }

    /// <summary>Reads a list under the rows' new numbers, without rows that are gone (-1).</summary>
    public static void Read(FrameReader reader, PostingList list, List<int> numbers, BoundRule rule)
    {
        var count = reader.ReadCount(numbers.Count, "a posting count");
        var frequency = reader.ReadCount(numbers.Count, "a frequency");
        long row = -1;
        for (var i = 0; i < count; i++)
        {
            var step = reader.ReadNumber();
            row += step;
            if (step == 0 || row >= numbers.Count)
                throw reader.Corrupted($"a posting names row {row} of {numbers.Count}");
            var payload = reader.ReadNumber();
            if (numbers[(int)row] >= 0)
                list.Append(numbers[(int)row], payload, rule);
        }

        list.Frequency = frequency;
    }
}
