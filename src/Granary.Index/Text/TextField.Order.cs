namespace Granary.Index.Text;

/// <content>
/// An order of the documents in which like ones stand together (<see cref="DocumentOrder"/>): found beside the writing thread, and taken
/// when the field is made anew.
/// </content>
public sealed partial class TextField
{
    // Postings beyond which the terms of all documents would not fit into an array.
    private const long MostOrdered = 1L << 30;

    // Documents numbered below it stand in an order that was found.
    private int _ordered;

    /// <summary>
    /// The order in which <see cref="MakeAnew"/> looks at the first documents; null for that of their numbers. Set by the writing thread
    /// while the field is not being made anew.
    /// </summary>
    internal int[]? Order { get; set; }

    /// <summary>Whether there are so many numbers, and half of them came after an order was found. Called by the writing thread.</summary>
    internal bool IsUnordered(int least) => _rows.Count >= least && _ordered <= _rows.Count / 2 && _postings < MostOrdered;

    /// <summary>Lets its documents stand as they are until there are twice as many.</summary>
    internal void TakeAsOrdered() => _ordered = _rows.Count;

    /// <summary>
    /// Finds an order of all documents there are, those that are gone among them. Called by any thread; the field may be written meanwhile.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal int[] FindOrder(CancellationToken cancellation)
    {
        // Numbers of terms may be given to others meanwhile: that makes the order worse, not wrong.
        var postings = (int)Math.Min(Volatile.Read(ref _postings), MostOrdered);
        return DocumentOrder.Find(
            _rows.Count, postings, doc => _rows.ValueOf(doc).Terms is { } packed ? UnpackTerms(packed) : [], cancellation);
    }
}
