using System.Diagnostics;
using System.Globalization;
using Granary.Standalone.Terminal;

namespace Granary.Standalone.Import;

/// <summary>The phases whose time is told at the end.</summary>
internal enum ImportPhase : byte
{
    Read,
    Embed,
    Upsert,
    Link,
}

/// <summary>Counts, times and complaints of an import. Thread-safe; complaints are written at once and not kept, however many.</summary>
internal sealed class ImportReport(TextWriter complaints)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly long[] _ticks = new long[4];
    private readonly Lock _writing = new();
    private long _files;
    private long _records;
    private long _points;
    private long _skippedFiles;
    private long _skippedRecords;
    private long _withoutVector;
    private long _notEmbedded;

    public long Points => Volatile.Read(ref _points);

    public long Skipped => Volatile.Read(ref _skippedFiles) + Volatile.Read(ref _skippedRecords);

    /// <summary>Whether everything that was found is there, vectors included.</summary>
    public bool IsComplete => Skipped == 0 && Volatile.Read(ref _notEmbedded) == 0;

    /// <summary>Where progress is drawn, once it is.</summary>
    public ProgressLine? Progress { get; set; }

    public void CountFile() => Interlocked.Increment(ref _files);

    public void CountRecord() => Interlocked.Increment(ref _records);

    public void CountWithoutVector() => Interlocked.Increment(ref _withoutVector);

    /// <summary>Texts that the server could not embed; fewer than none after it was restarted, which counts from the start.</summary>
    public void CountNotEmbedded(long texts) => Interlocked.Add(ref _notEmbedded, Math.Max(0, texts));

    public void CountBytes(int bytes) => Progress?.Add(bytes, 0);

    public void CountPoints(int points)
    {
        Interlocked.Add(ref _points, points);
        Progress?.Add(0, points);
    }

    public void BadFile(string path, string reason)
    {
        Interlocked.Increment(ref _skippedFiles);
        Complain($"{path}: {reason}");
    }

    public void BadRecord(InputFile file, long line, string reason)
    {
        Interlocked.Increment(ref _skippedRecords);
        Complain(FormattableString.Invariant($"{file.Path}:{line}: {reason}"));
    }

    /// <summary>A text could not be embedded here; its point is imported without a vector.</summary>
    public void NotEmbedded(InputFile file, long line, string reason)
    {
        Interlocked.Increment(ref _notEmbedded);
        Complain(FormattableString.Invariant($"{file.Path}:{line}: imported without a vector: {reason}"));
    }

    public void AddTime(ImportPhase phase, long since) => Interlocked.Add(ref _ticks[(int)phase], Stopwatch.GetElapsedTime(since).Ticks);

    /// <summary>The last lines: counts, and the time of each phase added up over the workers that ran it side by side.</summary>
    public string Summary()
    {
        var elapsed = Stopwatch.GetElapsedTime(_started);
        var phases = string.Join(", ", Enum.GetValues<ImportPhase>().Select(p =>
            string.Create(CultureInfo.InvariantCulture,
                $"{p.ToString().ToLowerInvariant()} {TimeSpan.FromTicks(_ticks[(int)p]).TotalSeconds:F2} s")));
        var seconds = elapsed.TotalSeconds;
        var rate = Points / Math.Max(seconds, 1e-3);
        var vectors = string.Create(CultureInfo.InvariantCulture,
            $"{_withoutVector:N0} texts without a vector, {_notEmbedded:N0} more could not be embedded");
        return string.Create(CultureInfo.InvariantCulture, $"""
            Imported {Points:N0} points from {_files:N0} files ({_records:N0} records) in {seconds:F1} s, {rate:N0}/s.
            Skipped {_skippedRecords:N0} records and {_skippedFiles:N0} files; {vectors}.
            Time by phase (workers added up): {phases}. Peak working set {Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0:F0} MiB.
            """);
    }

    private void Complain(string text)
    {
        lock (_writing)
            complaints.WriteLine(text);
    }
}
