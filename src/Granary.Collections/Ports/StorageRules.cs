namespace Granary.Collections.Ports;

/// <summary>What every storage asks of its callers, checked in one place so that all backends refuse alike.</summary>
public static class StorageRules
{
    /// <summary>Longest name of a checkpoint's section.</summary>
    public const int SectionNameLimit = 100;

    /// <summary>
    /// Checks that records follow on from each other and from <paramref name="next"/>; returns the operation number after them.
    /// </summary>
    /// <exception cref="ArgumentException">A record is empty or out of sequence.</exception>
    public static long CheckAppend(IReadOnlyList<LogRecord> records, long next)
    {
        for (var i = 0; i < records.Count; i++)
        {
            var record = records[i];
            if (record.Count < 1)
                throw new ArgumentException($"record {i} holds {record.Count} operations, at least 1 is needed", nameof(records));
            if (record.FirstOperation != next)
                throw new ArgumentException(
                    $"record {i} begins with operation {record.FirstOperation}, the log's next is {next}", nameof(records));
            next += record.Count;
        }

        return next;
    }

    /// <summary>Checks that changes name each document once.</summary>
    /// <exception cref="ArgumentException">A key is empty or repeated.</exception>
    public static void CheckChanges(IReadOnlyList<CatalogChange> changes)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var change in changes)
        {
            if (string.IsNullOrEmpty(change.Key) || !keys.Add(change.Key))
                throw new ArgumentException($"key `{change.Key}` is empty or named twice in one commit", nameof(changes));
        }
    }

    /// <summary>
    /// Checks a section's name: lower-case letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, beginning with a letter or digit, so that it
    /// is a file name everywhere.
    /// </summary>
    /// <exception cref="ArgumentException">The name is anything else.</exception>
    public static void CheckSection(string section)
    {
        var fits = section.Length is > 0 and <= SectionNameLimit && section[0] is (>= 'a' and <= 'z') or (>= '0' and <= '9');
        foreach (var c in section)
            fits &= c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_' or '.';
        if (!fits)
            throw new ArgumentException($"section `{section}`: a name is 1 to {SectionNameLimit} of a-z, 0-9, '-', '_' and '.', beginning "
                + "with a letter or digit", nameof(section));
    }
}
