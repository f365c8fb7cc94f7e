using System.Buffers;
using Granary.Index.Payload;

namespace Granary.Index.Filters;

/// <summary>A filter made ready for one view of a partition. Thread-safe; dispose it to give pooled memory back.</summary>
/// <remarks>
/// Every condition can be answered from the payload alone; an index only makes it faster: it names a superset of the slots that match, and
/// where that is exact the payload is not looked at. A condition asked about often turns its candidates into a bitmap, once. Only the
/// analyser of a text index matters to the meaning, of <c>match: {text, text_any, phrase}</c>: without an index tokens are those of
/// <see cref="Text.QdrantAnalyzer.IndexDefault"/>, as with an index of default parameters.
/// </remarks>
public sealed class FilterPlan : IDisposable
{
    private const int FewKeys = 32;
    private readonly IFilterContext _context;
    private readonly FilterScope _scope;
    private readonly FilterNode _root;
    private readonly Lock _rentedLock = new();
    private readonly List<PooledBits> _rented = [];
    private readonly Stack<PooledBits> _free = [];

    private FilterPlan(Filter filter, IFilterContext context)
    {
        _context = context;
        SlotBound = context.SlotBound;
        _scope = new FilterScope();
        _root = new FilterCompiler(this, context).Compile(filter, _scope, null);
    }

    /// <summary>
    /// How many points match, from the payload indexes; combined as Qdrant combines them, conditions taken as independent.
    /// </summary>
    public Cardinality Estimate => _root.Estimate;

    internal int SlotBound { get; }

    /// <summary>Prepares a filter.</summary>
    /// <exception cref="GranaryException">A payload path cannot be parsed.</exception>
    public static FilterPlan Compile(Filter filter, IFilterContext context) => new(filter, context);

    /// <summary>Whether that version of a point matches.</summary>
    public bool Matches(int slot)
    {
        var keys = _scope.Keys.Count;
        var places = keys <= FewKeys ? stackalloc int[2 * FewKeys] : new int[2 * keys];
        var evaluation = new Evaluation(_context, slot, _scope, places);
        return _root.Matches(ref evaluation);
    }

    /// <summary>
    /// Ascending slots among which every matching one is found (some may be invisible or not match), when indexes or ids bound them to at
    /// most <paramref name="limit"/>.
    /// </summary>
    public bool TryCandidates(int limit, out ReadOnlyMemory<int> slots)
    {
        slots = default;
        if (_root.Candidates is not { } candidates || candidates.Count > limit)
            return false;
        if (candidates.Count == 0)
            return true;
        var bits = Rent();
        candidates.Fill(bits.Bits);
        slots = bits.Bits.ToArray();
        return true;
    }

    /// <summary>
    /// A bitmap of slots among which every matching one is found, when indexes or ids bound them and it costs at most
    /// <paramref name="limit"/> bits set one by one, all conditions together. It belongs to the plan.
    /// </summary>
    /// <param name="limit">What it may cost.</param>
    /// <param name="bits">The bitmap.</param>
    /// <param name="exact">Whether all of them match; some may be invisible.</param>
    internal bool TryBits(long limit, out SlotBits bits, out bool exact)
    {
        bits = Rent().Bits;
        return _root.TryFill(ref limit, bits, out exact);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_rentedLock)
        {
            foreach (var bits in _rented)
                ArrayPool<ulong>.Shared.Return(bits.Bits.Words);
            _rented.Clear();
            _free.Clear();
        }
    }

    /// <summary>Bitmaps the plan holds.</summary>
    internal int RentedBitmaps
    {
        get
        {
            lock (_rentedLock)
                return _rented.Count;
        }
    }

    /// <summary>A bitmap, all clear; the plan's until <see cref="GiveBack"/>.</summary>
    internal PooledBits Rent()
    {
        lock (_rentedLock)
        {
            if (_free.TryPop(out var free))
            {
                free.Bits.Clear();
                return free;
            }
        }

        var words = ArrayPool<ulong>.Shared.Rent(Math.Max(1, (SlotBound + 63) >> 6));
        words.AsSpan().Clear();
        var bits = new PooledBits(new SlotBits(words, SlotBound));
        lock (_rentedLock)
            _rented.Add(bits);
        return bits;
    }

    /// <summary>Says that nobody uses a bitmap any more: it may be rented again.</summary>
    internal void GiveBack(PooledBits bits)
    {
        lock (_rentedLock)
            _free.Push(bits);
    }
}

/// <summary>A bitmap that goes back to the pool with its plan.</summary>
internal sealed class PooledBits(SlotBits bits)
{
    public SlotBits Bits { get; } = bits;
}
