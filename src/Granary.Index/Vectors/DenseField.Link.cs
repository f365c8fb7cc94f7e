using System.Collections.Concurrent;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

public sealed partial class DenseField
{
    private readonly ConcurrentQueue<(int Row, long Tag)> _free = new();
    private readonly Graph? _graph;

    /// <summary>How many adds, contiguous from the first, are linked (or need no linking, or were removed before it).</summary>
    public long LinkedAdds => Added;

    /// <summary>Adds that are not linked yet.</summary>
    public int Pending => (int)(Added - LinkedAdds);

    /// <summary>Removed rows that are not reusable yet.</summary>
    public int Removed => 0;

    /// <summary>Whether <see cref="Link"/> has something to do: pending adds, or enough removed rows to reconnect their neighbours.</summary>
    public bool LinkDue => Pending > 0;

    /// <summary>
    /// Links up to <paramref name="max"/> pending rows on up to <paramref name="parallelism"/> threads, and reconnects neighbours of removed
    /// rows. One caller at a time; adds, removes and searches go on. Returns how many adds were linked.
    /// </summary>
    public int Link(int max, int parallelism, CancellationToken cancellation) => 0;

    /// <summary>
    /// Finds the nearest rows that the filter accepts, in the graph and among the rows not linked yet. Appends at most K hits (and those
    /// whose score equals the last one's), best first.
    /// </summary>
    public void Search<TFilter>(in DenseSearch search, ref TFilter filter, List<SlotHit> hits)
        where TFilter : struct, ISlotFilter => SearchExact(search, ref filter, hits);

    /// <summary>Writes the field. Called by the applier while no <see cref="Link"/> runs; searches go on.</summary>
    public void Save(Stream stream) => throw new NotSupportedException();

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="GranaryException">The data is damaged, newer, or of another schema.</exception>
    public static DenseField Load(Stream stream, DenseVectorSchema schema, Memory.EpochClock epochs) => throw new NotSupportedException();

    private static bool IsLinked(int row) => true;

    private static void Enqueue(int row)
    {
    }

    private void Bury(int row) => _free.Enqueue((row, _epochs.Retire()));
}
