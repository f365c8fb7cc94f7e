using System.Runtime.CompilerServices;
using Granary.Collections.Ports;

namespace Granary.Storage.Files.Log;

/// <content>Reading and truncating, both beside the writer.</content>
internal sealed partial class FileLog
{
    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var next = NextOperation;
        CheckThere(fromOperation, _segments);
        return Read(fromOperation, next, cancellation);
    }

    public ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_listing)
        {
            CheckWritable();
            var segments = _segments;
            var keep = 0;
            while (keep < segments.Length - 1 && segments[keep + 1].FirstOperation <= beforeOperation)
                keep++;
            if (keep == 0)
                return default;
            try
            {
                WriteManifest(segments[keep..]);
                _segments = segments[keep..];
                foreach (var segment in segments[..keep])
                {
                    segment.Dispose();
                    _files.Delete(segment.Path);
                }
            }
            catch (Exception e) when (FileErrors.IsIo(e))
            {
                throw FileErrors.From("truncating the log", _folder, e);
            }
        }

        return default;
    }

    private static void CheckThere(long operation, Segment[] segments)
    {
        if (operation < segments[0].FirstOperation)
            throw new LogTruncatedException(operation, segments[0].FirstOperation);
    }

    private async IAsyncEnumerable<LogRecord> Read(long from, long next, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var held = Hold(from, next);
        try
        {
            foreach (var segment in held)
            {
                var reader = new FrameReader(segment.File, segment.Header.Salt, segment.Seek(from), segment.Committed);
                while (reader.TryRead(keep: true, out _, out var record))
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (record.FirstOperation >= next)
                        yield break;
                    if (record.LastOperation >= from)
                        yield return record;
                }

                if (reader.Problem is { } problem)
                    throw FileErrors.Corrupted(segment.Path, reader.Offset, problem);
            }
        }
        finally
        {
            held.ForEach(s => s.Dispose());
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }

    /// <summary>Keeps the segments that hold the operations asked for open, however the log is truncated meanwhile.</summary>
    private List<Segment> Hold(long from, long next)
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var segments = _segments;
            CheckThere(from, segments);
            var held = new List<Segment>();
            for (var i = 0; i < segments.Length; i++)
            {
                var wanted = segments[i].FirstOperation < next && (i == segments.Length - 1 || segments[i + 1].FirstOperation > from);
                if (wanted && !segments[i].TryAcquire())
                    break;
                if (wanted)
                    held.Add(segments[i]);
                if (i == segments.Length - 1)
                    return held;
            }

            // A truncation came between; the list is a newer one now.
            held.ForEach(s => s.Dispose());
        }
    }
}
