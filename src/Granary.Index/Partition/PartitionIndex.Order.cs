using Granary.Index.Partition;

namespace Granary.Index;

/// <content>Orders of the documents of large text fields, found beside everything else.</content>
public sealed partial class PartitionIndex
{
    // One at a time in a process: it takes a processor for seconds.
    private static readonly SemaphoreSlim Turn = new(1, 1);

    private static readonly Task<int[]> None = Task.FromResult<int[]>([]);

    private readonly CancellationTokenSource _closing = new();
    private Task<int[]> _ordering = None;
    private TextColumn? _ordered;

    /// <summary>From so many documents on an order is found for a text field: 131,072 unless set.</summary>
    public int LeastOrdered { get; set; } = 1 << 17;

    /// <summary>
    /// Whether <see cref="Order"/> has an order to find, to wait for or to give to its field. For the applying thread.
    /// </summary>
    public bool OrderDue => _ordered is not null || FindUnordered() is not null;

    /// <summary>The order being found, or found and not taken.</summary>
    internal Task Ordering => _ordering;

    /// <summary>
    /// Sees to it that like documents of text fields stand together, which makes searches quicker and changes nothing else: where half of a
    /// large field came since that was done an order is found on another thread, and the field is made anew in it
    /// (<see cref="RemakeDue"/>). Called by the applying thread, now and then when there is nothing to apply.
    /// </summary>
    public void Order()
    {
        if (!_ordering.IsCompleted)
            return;
        var (found, ordering) = (_ordered, _ordering);
        (_ordered, _ordering) = (null, None);
        if (found is not null)
        {
            // Where the field was given up meanwhile, or is being made anew for what is gone, another is found next time; where it failed
            // for want of memory, once the field is twice as large.
            if (!ordering.IsCompletedSuccessfully)
            {
                _ = ordering.Exception;
                found.Postings.TakeAsOrdered();
            }
            else if (found.Postings.Remaking is null && _fields.All.Contains(found))
            {
                found.Postings.Order = ordering.Result;
            }
        }
        else if (FindRemake() is null && FindUnordered() is { } text)
        {
            _ordered = text;
            var closing = _closing.Token;
            _ordering = Task.Run(() => FindOrderAsync(text, closing), closing);
        }
    }

    // A field that is gone is not held for its order until nothing is written, which may never be.
    private void GiveUpOrder(Field gone)
    {
        if (!ReferenceEquals(_ordered, gone))
            return;
        _ordered = null;
        if (_ordering.IsCompleted)
            _ordering = None;
    }

    private TextColumn? FindUnordered()
    {
        foreach (var field in _fields.All)
        {
            if (field is TextColumn text && text.Postings.IsUnordered(LeastOrdered))
                return text;
        }

        return null;
    }

    private static async Task<int[]> FindOrderAsync(TextColumn text, CancellationToken cancellation)
    {
        await Turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return text.Postings.FindOrder(cancellation);
        }
        finally
        {
            Turn.Release();
        }
    }
}
