using Granary.Collections.Feeds;
using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Collections.Indexing;

/// <summary>
/// Keeps one replica of a partition's index: applies the log's operations in order, exactly once in effect, links them into the
/// graphs in the background, and takes checkpoints. All state follows from checkpoint and log.
/// </summary>
public sealed partial class PartitionIndexer : IAsyncDisposable
{
    private readonly IndexerOptions _options;
    private readonly SemaphoreSlim _applying = new(1, 1);
    private readonly long _loggedBefore;
    private readonly SemaphoreSlim _checkpointing = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly InProcessFeed _linkBell;
    private volatile IndexHolder _holder;
    private volatile IngestionSettings _settings;
    private volatile GranaryException? _fault;
    private Task _applyLoop = Task.CompletedTask;
    private Task _linkLoop = Task.CompletedTask;
    private int _disposed;

    private PartitionIndexer(IndexerOptions options, IndexHolder holder)
    {
        _options = options;
        _settings = options.Ingestion;
        _loggedBefore = options.Log.NextOperation - 1;
        _holder = holder;
        _linkBell = new InProcessFeed(options.Time);
        Applied = new Watermark(holder.Index.AppliedOperation);
        Linked = new Watermark(Math.Min(holder.Index.LinkedOperation, holder.Index.AppliedOperation));
    }

    /// <summary>The partition.</summary>
    public PartitionKey Key => _options.Key;

    /// <summary>The newest operation that is visible to searches.</summary>
    public Watermark Applied { get; }

    /// <summary>Every operation up to this one is linked.</summary>
    public Watermark Linked { get; }

    /// <summary>The index that serves now. It may be replaced; searches open a reader by <see cref="OpenReader"/>.</summary>
    public PartitionIndex Index => _holder.Index;

    /// <summary>Why the partition stopped, or null.</summary>
    public GranaryException? Fault => _fault;

    /// <summary>What opening had to mend, or null.</summary>
    public string? RecoveryNote { get; private set; }

    /// <summary>Whether the log's rest is still being applied after opening.</summary>
    public bool Recovering { get; private set; } = true;

    /// <summary>How the collection ingests; may be replaced at any time.</summary>
    public IngestionSettings Settings
    {
        get => _settings;
        set => _settings = value;
    }

    /// <summary>
    /// Opens the newest checkpoint that reads well and starts applying what the log has beyond it. Searches are served at once.
    /// </summary>
    /// <exception cref="GranaryException">No checkpoint reads well and the log does not begin at its start.</exception>
    public static async ValueTask<PartitionIndexer> OpenAsync(IndexerOptions options, CancellationToken cancellation)
    {
        var listed = await options.Checkpoints.ListAsync(cancellation).ConfigureAwait(false);
        var (holder, checkpoint, note) = await LoadAsync(options, cancellation).ConfigureAwait(false);
        var indexer = new PartitionIndexer(options, holder)
        {
            RecoveryNote = note,
            _checkpointed = checkpoint,
            _imageBytes = listed.FirstOrDefault(c => c.Operation == checkpoint)?.SizeInBytes ?? 0,
        };
        indexer._applyLoop = Task.Run(indexer.RunApplyAsync, CancellationToken.None);
        indexer._linkLoop = Task.Run(indexer.RunLinkAsync, CancellationToken.None);
        return indexer;
    }

    /// <summary>A consistent view of what is applied.</summary>
    /// <exception cref="GranaryException">The partition stopped.</exception>
    public ReaderLease OpenReader()
    {
        while (true)
        {
            ThrowIfStopped();
            var holder = _holder;
            if (holder.TryEnter())
                return new ReaderLease(holder);
        }
    }

    /// <summary>Throws when the partition stopped.</summary>
    /// <exception cref="GranaryException">It did, and why.</exception>
    public void ThrowIfStopped()
    {
        if (_fault is { } fault)
            throw fault;
        if (Volatile.Read(ref _disposed) != 0)
            throw new GranaryException(ErrorKind.Unavailable, $"Partition {Key.Number} is unavailable: it is closed");
    }

    /// <summary>Stops at once, without draining; what was not indexed is indexed again from the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_applyLoop, _linkLoop).ConfigureAwait(false);
        await _taking.ConfigureAwait(false);
        // A rebuild under way sees the token and leaves.
        await _rebuilding.WaitAsync().ConfigureAwait(false);
        // So does one who waits to write a checkpoint; who writes one finishes.
        await _checkpointing.WaitAsync().ConfigureAwait(false);
        await _applying.WaitAsync().ConfigureAwait(false);
        var closed = new GranaryException(ErrorKind.Unavailable, $"Partition {Key.Number} is unavailable: it is closed");
        Applied.Fail(closed);
        Linked.Fail(closed);
        _holder.Leave();
        _linkBell.Dispose();
        _stopping.Dispose();
        _applying.Dispose();
        _rebuilding.Dispose();
        _checkpointing.Dispose();
        await _options.Checkpoints.DisposeAsync().ConfigureAwait(false);
    }

    private void Stop(Exception e)
    {
        var fault = e is GranaryException { Kind: ErrorKind.Unavailable } known
            ? known
            : new GranaryException(ErrorKind.Unavailable,
                $"Partition {Key.Number} is unavailable: it stopped after operation {Applied.Value} ({e.Message})", e);
        _fault = fault;
        Applied.Fail(fault);
        Linked.Fail(fault);
        _options.OnFault?.Invoke(fault);
    }
}
