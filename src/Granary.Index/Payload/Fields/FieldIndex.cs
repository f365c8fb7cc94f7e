using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Index.Payload.Fields;

/// <summary>
/// One payload index. An array at the path counts as its elements, one level deep, as conditions see it. Values the index cannot hold (null
/// apart) put the slot among the <see cref="Foreign"/>, so that candidates stay a superset whatever payloads hold.
/// </summary>
internal abstract class FieldIndex(PayloadIndexSchema schema)
{
    public PayloadIndexSchema Schema { get; } = schema;

    public JsonPath Path { get; } = JsonPath.Parse(schema.Path);

    /// <summary>Slots with a value the index holds.</summary>
    public SlotSet Points { get; } = new();

    /// <summary>Slots with a value it does not hold.</summary>
    public SlotSet Foreign { get; } = new();

    public void Add(int slot, ReadOnlySpan<byte> json) => Change(slot, json, true);

    public void Remove(int slot, ReadOnlySpan<byte> json)
    {
        Change(slot, json, false);
        Points.Remove(slot);
        Foreign.Remove(slot);
    }

    /// <summary>What the index knows of a condition over its path; null when nothing.</summary>
    public abstract IndexMatch? Find(Condition condition, ValueTest test);

    /// <summary>Slots in the order of the values; null when they have none.</summary>
    public virtual IEnumerable<OrderedSlot>? Order(bool descending, OrderValue? from) => null;

    /// <summary>The distinct values; null when they are not counted.</summary>
    public virtual IEnumerable<FacetEntry>? Facet() => null;

    /// <summary>Called when many slots are about to be added before any reader sees the index.</summary>
    public virtual void BeginBuild()
    {
    }

    /// <summary>Ends what <see cref="BeginBuild"/> began.</summary>
    public virtual void EndBuild()
    {
    }

    public abstract void Save(IndexImage.Writer writer);

    public abstract void Load(IndexImage.Reader reader);

    /// <summary>Adds or removes a value; false when the index cannot hold it.</summary>
    protected abstract bool Change(int slot, ReadOnlySpan<byte> value, bool add, int number);

    private void Change(int slot, ReadOnlySpan<byte> json, bool add)
    {
        if (json.IsEmpty)
            return;
        var visitor = new Visitor(this, slot, add);
        JsonScan.Walk(json[JsonScan.SkipSpace(json, 0)..], Path.Items.AsSpan(), ref visitor);
    }

    private struct Visitor(FieldIndex index, int slot, bool add) : IJsonVisitor
    {
        private int _number;

        public bool Visit(ReadOnlySpan<byte> value)
        {
            if (value[0] != '[')
            {
                Take(value);
                return false;
            }

            var elements = new JsonElements(value);
            while (elements.MoveNext())
                Take(elements.Value);
            return false;
        }

        private void Take(ReadOnlySpan<byte> value)
        {
            if (JsonScan.IsNull(value))
                return;
            var holds = index.Change(slot, value, add, _number);
            if (holds)
                _number++;
            if (add)
                (holds ? index.Points : index.Foreign).Add(slot);
        }
    }
}

/// <summary>The slots of a posting.</summary>
internal sealed class SetMatch(SlotSet slots) : IndexMatch
{
    public override long Count => slots.Count;

    public override bool IsDistinct => true;

    public override bool CanTest => true;

    public override bool Test(int slot) => slots.Contains(slot);

    public override long FillCost => slots.FillCost;

    public override void Fill(SlotBits bits) => slots.Fill(bits);
}
