using System.Buffers;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Index.Payload.Fields;

/// <summary>An index over values that have an order.</summary>
internal abstract class OrderedIndex<TKey>(PayloadIndexSchema schema) : FieldIndex(schema)
    where TKey : unmanaged, IComparable<TKey>
{
    private List<(TKey Key, int Slot)>? _building;

    // Whether a slot ever had several values: those may lie on both sides of a range's end.
    private volatile bool _several;

    protected SortedEntries<TKey> Entries { get; } = new();

    public override void BeginBuild() => _building = [];

    public override void EndBuild()
    {
        Entries.Build(_building!);
        _building = null;
    }

    public override void Save(IndexImage.Writer writer)
    {
        writer.Write(Entries.Ascending(null, null).Count(e => writer.Has(e.Slot)));
        foreach (var (key, slot) in Entries.Ascending(null, null))
        {
            if (!writer.Has(slot))
                continue;
            writer.WriteValue(key);
            writer.Write(slot);
        }
    }

    public override void Load(IndexImage.Reader reader)
    {
        var count = reader.ReadInt32();
        var entries = new List<(TKey, int)>();
        for (var i = 0; i < count; i++)
            entries.Add((reader.ReadValue<TKey>(), reader.ReadInt32()));
        Entries.Build(entries);
        var slots = new HashSet<int>(count);
        _several = !entries.TrueForAll(e => slots.Add(e.Item2));
    }

    protected override bool Change(int slot, ReadOnlySpan<byte> value, bool add, int number)
    {
        if (!TryGetKey(value, out var key))
            return false;
        if (add && number > 0)
            _several = true;
        if (_building is not null)
            _building.Add((key, slot));
        else if (add)
            Entries.Add(key, slot);
        else
            Entries.Remove(key, slot);
        return true;
    }

    protected abstract bool TryGetKey(ReadOnlySpan<byte> value, out TKey key);

    /// <summary>The slots with keys in a range, both ends inclusive.</summary>
    /// <param name="from">The least key.</param>
    /// <param name="to">The greatest key.</param>
    /// <param name="exact">Whether they all satisfy the condition.</param>
    /// <param name="others">Slots that may satisfy it besides.</param>
    protected IndexMatch Range(TKey from, TKey to, bool exact, SlotSet? others = null)
    {
        var range = new RangeMatch(Entries, _several ? null : Points, from, to) { IsExact = exact };
        return others is null || others.Count == 0 ? range : new UnionMatch([range, new SetMatch(others)]);
    }

    /// <summary>Distinct keys with their slots.</summary>
    protected IEnumerable<(TKey Key, List<int> Slots)> Groups()
    {
        var slots = new List<int>();
        TKey current = default;
        foreach (var (key, slot) in Entries.Ascending(null, null))
        {
            if (slots.Count > 0 && key.CompareTo(current) != 0)
            {
                yield return (current, slots);
                slots = [];
            }

            current = key;
            slots.Add(slot);
        }

        if (slots.Count > 0)
            yield return (current, slots);
    }

    /// <param name="entries">The entries.</param>
    /// <param name="points">The slots that have a value, where none has several.</param>
    /// <param name="from">The least key.</param>
    /// <param name="to">The greatest key.</param>
    private sealed class RangeMatch(SortedEntries<TKey> entries, SlotSet? points, TKey from, TKey to) : IndexMatch
    {
        public override long Count { get; } = entries.CountRange(from, to);

        public override long FillCost => Math.Min(Count, OutsideCost);

        private long OutsideCost => points is null || from.CompareTo(to) > 0
            ? long.MaxValue : Math.Max(0, entries.Count - Count) + points.FillCost;

        public override void Fill(SlotBits bits)
        {
            if (from.CompareTo(to) > 0)
                return;
            if (Count <= OutsideCost)
            {
                entries.Fill(from, to, bits);
                return;
            }

            // Most are inside: all but those outside. Bits that stand there already stay.
            var words = ArrayPool<ulong>.Shared.Rent(bits.Words.Length);
            var inside = new SlotBits(words, bits.Bound);
            inside.Clear();
            points!.Fill(inside);
            entries.ClearOutside(from, to, inside);
            bits.Or(inside);
            ArrayPool<ulong>.Shared.Return(words);
        }
    }
}

/// <summary>64-bit integers. Other numbers are foreign.</summary>
internal sealed class IntegerIndex(PayloadIndexSchema schema) : OrderedIndex<long>(schema)
{
    private const int FewValues = 4096;

    public override IndexMatch? Find(Condition condition, ValueTest test)
    {
        switch (condition)
        {
            case MatchAnyCondition c when c.Values.Length <= FewValues && c.Values.All(static v => v.Kind == MatchValueKind.Integer):
                return new UnionMatch([.. c.Values.Select(static v => v.Integer).Distinct().Select(v => Range(v, v, true))])
                {
                    IsExact = true,
                };
            case RangeCondition c:
                var (from, to) = Interval(c);
                return Range(from, to, Foreign.Count == 0, Foreign);
            default:
                return null;
        }
    }

    public override IEnumerable<OrderedSlot>? Order(bool descending, OrderValue? from)
    {
        long? start = from is not { } value ? null
            : value.IsInteger ? value.Integer
            : descending ? FirstAbove(value.Number) is var above and > long.MinValue ? above - 1 : long.MinValue
            : FirstFrom(value.Number);
        return (descending ? Entries.Descending(start) : Entries.Ascending(start, null))
            .Select(static e => new OrderedSlot(e.Slot, new OrderValue(e.Key, e.Key, true)));
    }

    public override IEnumerable<FacetEntry> Facet() =>
        Groups().Select(static g => new FacetEntry(MatchValue.Of(g.Key), g.Slots.Count, g.Slots));

    /// <summary>The integers whose doubles are within the bounds: rounding keeps the order, so they are an interval.</summary>
    internal static (long From, long To) Interval(RangeCondition range)
    {
        bool FarEnough(long v) => !(v <= range.Gt) && !(v < range.Gte);
        bool TooFar(long v) => v >= range.Lt || v > range.Lte;
        var from = First(FarEnough);
        var past = First(TooFar);
        if (from is null || past == long.MinValue)
            return (1, 0);
        return (from.Value, past is { } end ? end - 1 : long.MaxValue);
    }

    protected override bool TryGetKey(ReadOnlySpan<byte> value, out long key) => JsonScan.TryGetInteger(value, out key);

    private static long FirstFrom(double number) => First(v => v >= number) ?? long.MaxValue;

    private static long FirstAbove(double number) => First(v => v > number) ?? long.MaxValue;

    /// <summary>The least integer for which a monotone condition holds; null when there is none.</summary>
    private static long? First(Func<long, bool> holds)
    {
        if (!holds(long.MaxValue))
            return null;
        var (low, high) = ((Int128)long.MinValue, (Int128)long.MaxValue);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (holds((long)middle))
                high = middle;
            else
                low = middle + 1;
        }

        return (long)low;
    }
}

/// <summary>Numbers as doubles.</summary>
internal sealed class FloatIndex(PayloadIndexSchema schema) : OrderedIndex<double>(schema)
{
    public override IndexMatch? Find(Condition condition, ValueTest test)
    {
        if (condition is not RangeCondition range)
            return null;
        var from = Math.Max(range.Gt is { } gt ? Math.BitIncrement(gt) : double.NegativeInfinity, range.Gte ?? double.NegativeInfinity);
        var to = Math.Min(range.Lt is { } lt ? Math.BitDecrement(lt) : double.PositiveInfinity, range.Lte ?? double.PositiveInfinity);
        return Range(from, to, true);
    }

    public override IEnumerable<OrderedSlot>? Order(bool descending, OrderValue? from) =>
        (descending ? Entries.Descending(from?.Number) : Entries.Ascending(from?.Number, null))
            .Select(static e => new OrderedSlot(e.Slot, new OrderValue(e.Key, 0, false)));

    // -0 and 0 are one value.
    protected override bool TryGetKey(ReadOnlySpan<byte> value, out double key)
    {
        var holds = JsonScan.TryGetDouble(value, out key);
        key += 0.0;
        return holds;
    }
}

/// <summary>Instants in microseconds since 1970.</summary>
internal sealed class DatetimeIndex(PayloadIndexSchema schema) : OrderedIndex<long>(schema)
{
    public override IndexMatch? Find(Condition condition, ValueTest test)
    {
        if (condition is not DatetimeRangeCondition range)
            return null;
        var (from, to) = InstantRangeTest.Interval(range);
        return Range(from, to, true);
    }

    public override IEnumerable<OrderedSlot>? Order(bool descending, OrderValue? from)
    {
        long? start = from is not { } value ? null : value.IsInteger ? value.Integer : (long)value.Number;
        return (descending ? Entries.Descending(start) : Entries.Ascending(start, null))
            .Select(static e => new OrderedSlot(e.Slot, new OrderValue(e.Key, e.Key, true)));
    }

    protected override bool TryGetKey(ReadOnlySpan<byte> value, out long key)
    {
        key = 0;
        return JsonScan.IsString(value) && Instant.TryParse(ValueTest.TextOf(value), out key);
    }
}

/// <summary>UUIDs, compared as text is: what is not written canonically is foreign.</summary>
internal sealed class UuidIndex(PayloadIndexSchema schema) : OrderedIndex<UInt128>(schema)
{
    private const int FewValues = 4096;

    public override IndexMatch? Find(Condition condition, ValueTest test)
    {
        if (condition is not MatchAnyCondition { Values.Length: <= FewValues } any
            || any.Values.Any(static v => v.Kind != MatchValueKind.Keyword))
            return null;
        List<IndexMatch> parts = [];
        var canonical = true;
        foreach (var value in any.Values.Distinct())
        {
            if (TryGetKey(System.Text.Encoding.UTF8.GetBytes(value.Text!), out var key, false))
                parts.Add(Range(key, key, true));
            else
                canonical = false;
        }

        if (!canonical && Foreign.Count > 0)
            parts.Add(new SetMatch(Foreign));
        return new UnionMatch(parts) { IsExact = canonical || Foreign.Count == 0 };
    }

    public override IEnumerable<FacetEntry> Facet() =>
        Groups().Select(static g => new FacetEntry(MatchValue.Of(ToGuid(g.Key).ToString("D")), g.Slots.Count, g.Slots));

    protected override bool TryGetKey(ReadOnlySpan<byte> value, out UInt128 key) => TryGetKey(value, out key, true);

    private static bool TryGetKey(ReadOnlySpan<byte> value, out UInt128 key, bool quoted)
    {
        key = default;
        if (quoted && !JsonScan.IsString(value))
            return false;
        var text = quoted ? ValueTest.TextOf(value) : value;
        if (text.Length != 36 || text.ContainsAnyInRange((byte)'A', (byte)'F')
            || !System.Buffers.Text.Utf8Parser.TryParse(text, out Guid guid, out var used, 'D') || used != text.Length)
            return false;
        Span<byte> bytes = stackalloc byte[16];
        guid.TryWriteBytes(bytes, bigEndian: true, out _);
        key = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return true;
    }

    private static Guid ToGuid(UInt128 key)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, key);
        return new Guid(bytes, bigEndian: true);
    }
}
