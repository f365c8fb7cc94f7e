using System.Threading.Channels;
using Granary.Index;

namespace Granary.Collections.Embedding;

/// <content>
/// Looks for points that have a text and lack its vector: at the start, when the rules change, and when more texts came than are kept
/// in the queue. What cannot be embedded is tried again whenever points are looked for.
/// </content>
public sealed partial class EmbeddingPipeline
{
    private const int LookupPage = 1_000;
    private readonly Dictionary<int, Lookup> _lookups = [];
    private readonly Channel<bool> _lookupBell = Channel.CreateBounded<bool>(1);
    private bool _closed;

    /// <summary>Has the points of a partition looked through, after what is looked through now.</summary>
    private void RequestLookup(int partition, long operation)
    {
        lock (_lock)
        {
            if (_closed)
                return;
            if (!_lookups.TryGetValue(partition, out var lookup))
                _lookups[partition] = lookup = new Lookup();
            lookup.Due = lookup.Due.With(operation);
        }

        // One that is not taken yet is enough: it is taken before it is seen what is due.
        _lookupBell.Writer.TryWrite(true);
    }

    private void RequestLookups()
    {
        if (_rules.IsEmpty)
            return;
        foreach (var target in _targets)
            RequestLookup(target.Number, 0);
    }

    /// <summary>The long-lived worker that looks, one partition after the other.</summary>
    private async Task LookAsync()
    {
        try
        {
            while (true)
            {
                await _lookupBell.Reader.ReadAsync(_stopping.Token).ConfigureAwait(false);
                foreach (var target in _targets)
                {
                    if (BeginLookup(target.Number))
                        await LookAsync(target).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // What is left is found at the next start.
        }
    }

    private async ValueTask LookAsync(IEmbeddingTarget target)
    {
        try
        {
            await target.CaughtUpAsync(_stopping.Token).ConfigureAwait(false);
            foreach (var rule in _rules)
                await LookAsync(target, rule).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The partition stopped or is being closed, and says so itself. Whatever else it was, the other partitions are looked through
            // all the same, and nobody is kept waiting; what is left is found at the next look.
        }
        finally
        {
            EndLookup(target.Number);
        }
    }

    private async ValueTask LookAsync(IEmbeddingTarget target, EmbeddingRule rule)
    {
        PointId? from = null;
        while (true)
        {
            var page = target.Lacking(rule.Vector, rule.Path, from, LookupPage);
            var asked = default(Range);
            foreach (var id in page)
            {
                if (id == from)
                    continue;
                // Whose text is waiting already is not asked twice, only waited for.
                if (PendingOperation(target.Number, id) is >= 0 and var operation)
                    asked = asked.With(operation);
                else
                    await EnqueueAsync(new Job(target.Number, 0, id)).ConfigureAwait(false);
            }

            // A page at a time, however many points lack a vector; it is over when all of them have been tried.
            await WaitJobsAsync(target.Number, new Range(0, 0)).ConfigureAwait(false);
            await WaitJobsAsync(target.Number, asked).ConfigureAwait(false);
            if (page.Count < LookupPage)
                return;
            from = page[^1];
        }
    }

    private async ValueTask EnqueueAsync(Job job)
    {
        Begin(job);
        try
        {
            await _jobs.Writer.WriteAsync(job, _stopping.Token).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw new OperationCanceledException("The pipeline is being closed.", e);
        }
    }

    private async ValueTask WaitJobsAsync(int partition, Range operations)
    {
        if (!operations.IsEmpty)
            await WaitAsync(new Waiter(partition, operations.First, operations.Last, Lookups: false)).AsTask().WaitAsync(_stopping.Token)
                .ConfigureAwait(false);
    }

    private bool BeginLookup(int partition)
    {
        lock (_lock)
        {
            if (!_lookups.TryGetValue(partition, out var lookup) || lookup.Due.IsEmpty)
                return false;
            (lookup.Running, lookup.Due) = (lookup.Due, default);
            return true;
        }
    }

    private void EndLookup(int partition)
    {
        lock (_lock)
        {
            if (_lookups.TryGetValue(partition, out var lookup))
                lookup.Running = default;
            Release();
        }
    }

    /// <summary>The operations, from the first to the last, that wait for a partition to be looked through.</summary>
    private sealed class Lookup
    {
        public Range Running { get; set; }

        public Range Due { get; set; }

        /// <summary>Whether an operation asked for it.</summary>
        public bool Asked => Running.Last > 0 || Due.Last > 0;

        public bool Concerns(long first, long last) => Running.Meets(first, last) || Due.Meets(first, last);
    }

    /// <summary>Operations from the first to the last; empty by default.</summary>
    private readonly record struct Range
    {
        private readonly bool _any;

        public Range(long first, long last) => (First, Last, _any) = (first, last, true);

        public long First { get; }

        public long Last { get; }

        public bool IsEmpty => !_any;

        public Range With(long operation) =>
            _any ? new Range(Math.Min(First, operation), Math.Max(Last, operation)) : new Range(operation, operation);

        public bool Meets(long first, long last) => _any && First <= last && Last >= first;
    }
}
