using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Operations;
using Granary.Index.Search;

namespace Granary.Collections.Indexing;

public sealed partial class PartitionIndexer
{
    private const int RebuildPage = 1_000;
    private readonly SemaphoreSlim _rebuilding = new(1, 1);

    /// <summary>The log may not go behind this while a rebuilt index still has to read it.</summary>
    private long _truncateBefore = long.MaxValue;

    /// <summary>
    /// Builds the index anew from the points of the old one, which serves and is written meanwhile, links it, lets it catch up from
    /// the log, and puts it in the old one's place.
    /// </summary>
    /// <exception cref="GranaryException">The partition stopped.</exception>
    public async ValueTask RebuildAsync(CancellationToken cancellation)
    {
        ThrowIfStopped();
        using var activity = Telemetry.Activities.StartActivity("granary.rebuild");
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        var stop = stopping.Token;
        await _rebuilding.WaitAsync(stop).ConfigureAwait(false);
        PartitionIndex? fresh = null;
        try
        {
            fresh = await CopyAsync(stop).ConfigureAwait(false);
            // Most of the catching up happens without holding the applier up.
            await ReplayAsync(fresh, stop).ConfigureAwait(false);
            var parallelism = _settings.LinkParallelism > 0 ? _settings.LinkParallelism : Environment.ProcessorCount;
            while (fresh.Link(MaxLinkBatch, parallelism, stop) > 0)
                await Task.Yield();
            await _applying.WaitAsync(stop).ConfigureAwait(false);
            try
            {
                await ReplayAsync(fresh, stop).ConfigureAwait(false);
                Replace(new IndexHolder(fresh, null));
                fresh = null;
            }
            finally
            {
                _applying.Release();
            }
        }
        finally
        {
            fresh?.Dispose();
            Volatile.Write(ref _truncateBefore, long.MaxValue);
            _rebuilding.Release();
        }
    }

    /// <summary>A new index with the points that the old one has now.</summary>
    private async ValueTask<PartitionIndex> CopyAsync(CancellationToken stop)
    {
        ReaderLease lease;
        IndexSchema schema;
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            lease = OpenReader();
            schema = _holder.Index.Schema;
            Volatile.Write(ref _truncateBefore, lease.Reader.Operation + 1);
        }
        finally
        {
            _applying.Release();
        }

        using (lease)
        {
            var index = new PartitionIndex(schema);
            try
            {
                await Task.Yield();
                Copy(lease.Reader, index, stop);
                return index;
            }
            catch
            {
                index.Dispose();
                throw;
            }
        }
    }

    /// <remarks>
    /// Every point is written again under the number of the operation that made it. Where one operation (by filter) made several,
    /// the others get the numbers before it: there are enough, since every point was once inserted by an operation of its own.
    /// </remarks>
    private static void Copy(IndexReader from, PartitionIndex to, CancellationToken stop)
    {
        var points = Versions(from, stop);
        points.Sort((a, b) => a.Operation != b.Operation ? a.Operation.CompareTo(b.Operation) : a.Id.CompareTo(b.Id));
        var free = from.Operation;
        for (var i = points.Count - 1; i >= 0; i--)
        {
            free = Math.Min(points[i].Operation, free);
            points[i] = (free, points[i].Id);
            free--;
        }

        var writer = new OperationWriter();
        var next = 1L;
        foreach (var (operation, id) in points)
        {
            stop.ThrowIfCancellationRequested();
            Pass(to, ref next, operation);
            if (!from.TryGet(id, new VectorSelector(true), out var point))
                throw new InvalidOperationException($"Point {id} is gone from the view it was found in.");
            writer.Clear();
            Encode(writer, point!);
            to.Apply(operation, new OperationView(writer.Written.Span[4..]), out _);
            next = operation + 1;
        }

        Pass(to, ref next, from.Operation + 1);
    }

    private static List<(long Operation, PointId Id)> Versions(IndexReader reader, CancellationToken stop)
    {
        var points = new List<(long Operation, PointId Id)>();
        PointId? start = null;
        while (true)
        {
            var page = reader.Search(new ScanLeg { From = start, Limit = RebuildPage }, stop).Hits;
            foreach (var hit in page)
            {
                if (hit.Id != start && reader.TryGet(hit.Id, VectorSelector.None, out var point))
                    points.Add((point!.Operation, hit.Id));
            }

            if (page.Count < RebuildPage)
                return points;
            start = page[^1].Id;
        }
    }

    private static void Encode(OperationWriter writer, PointData point)
    {
        writer.Begin(OperationKind.Upsert, point.Id);
        writer.Payload(point.Payload.Span);
        foreach (var vector in point.Vectors)
        {
            if (vector.Indices is { } indices)
                writer.Sparse(vector.Name, indices, vector.Values);
            else if (vector.Rows > 1)
                writer.Multi(vector.Name, vector.Rows, vector.Values.Length / vector.Rows, vector.Values);
            else
                writer.Dense(vector.Name, vector.Values);
        }

        writer.End();
    }

    /// <summary>Passes over numbers that made no point that is still there.</summary>
    private static void Pass(PartitionIndex index, ref long next, long until)
    {
        for (; next < until; next++)
            index.Apply(next, new OperationView(Nothing), out _);
    }

    /// <summary>Applies the log's rest; what is poison there was reported when the serving index met it.</summary>
    private async ValueTask ReplayAsync(PartitionIndex index, CancellationToken stop)
    {
        if (index.AppliedOperation >= Applied.Value)
            return;
        await foreach (var record in _options.Log.ReadAsync(index.AppliedOperation + 1, stop).ConfigureAwait(false))
        {
            if (index.AppliedOperation >= Applied.Value)
                return;
            Replay(index, record);
        }
    }

    private void Replay(PartitionIndex index, LogRecord record)
    {
        var number = record.FirstOperation;
        // Not beyond the serving index: it takes over from there.
        var last = Math.Min(record.LastOperation, Applied.Value);
        try
        {
            foreach (var bytes in new OperationSequence(record.Operations.Span))
            {
                if (number > last)
                    return;
                if (number > index.AppliedOperation)
                    index.Apply(number, ViewOrNothing(bytes), out _);
                number++;
            }
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.Corrupted)
        {
            number = index.AppliedOperation + 1;
        }

        Pass(index, ref number, last + 1);
    }

    private static OperationView ViewOrNothing(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new OperationView(bytes);
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.Corrupted)
        {
            return new OperationView(Nothing);
        }
    }

    /// <summary>Sizes of the index that serves now.</summary>
    public IndexStatistics Statistics()
    {
        while (true)
        {
            var holder = _holder;
            if (!holder.TryEnter())
            {
                if (Volatile.Read(ref _disposed) != 0)
                    throw new GranaryException(ErrorKind.Unavailable, $"Partition {Key.Number} is unavailable: it is closed");
                continue;
            }

            try
            {
                return holder.Index.Statistics;
            }
            finally
            {
                holder.Leave();
            }
        }
    }
}
