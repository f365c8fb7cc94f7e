using System.Text;
using Granary.Index.Filters;
using Granary.Index.Payload;

namespace Granary.Index.Tests.Filters;

/// <summary>Points with payloads, one slot a version, seen as of now.</summary>
internal sealed class PointBench : IFilterContext, IDisposable
{
    private readonly Dictionary<PointId, int> _slots = [];
    private readonly List<PointId> _ids = [];

    public PayloadStore Store { get; } = new();

    public PayloadIndexes Indexes { get; private set; } = new();

    public int SlotBound => _ids.Count;

    public long PointCount => _slots.Count;

    public IEnumerable<int> Live => _slots.Values;

    public int Put(ulong id, string json)
    {
        var slot = _ids.Count;
        _ids.Add(new PointId(id));
        Store.Set(slot, Encoding.UTF8.GetBytes(json));
        Indexes.Add(slot, Store.Get(slot));
        _slots[new PointId(id)] = slot;
        return slot;
    }

    public void Delete(ulong id, bool reclaim)
    {
        if (!_slots.Remove(new PointId(id), out var slot) || !reclaim)
            return;
        Indexes.Remove(slot, Store.Get(slot));
        Store.Free(slot);
    }

    public void Create(PayloadIndexSchema schema) => Indexes.Create(schema, Store, Enumerable.Range(0, SlotBound));

    public void Reload()
    {
        using var image = new MemoryStream();
        Indexes.Save(image);
        image.Position = 0;
        Indexes = PayloadIndexes.Load(image);
        Assert.Equal(image.Length, image.Position);
    }

    public ulong[] Select(string filter) => Select(FilterJson.Parse(Encoding.UTF8.GetBytes(filter)));

    /// <summary>The ids that match, asked slot by slot, through the candidates and through the bitmap.</summary>
    public ulong[] Select(Filter filter)
    {
        using var plan = FilterPlan.Compile(filter, this);
        ulong[] found = [.. Live.Where(plan.Matches).Select(s => _ids[s].Number).Order()];
        if (plan.TryCandidates(int.MaxValue, out var slots))
        {
            var candidates = slots.ToArray();
            Assert.Equal(candidates.Distinct().Order(), candidates);
            Assert.Equal(found, candidates.Intersect(Live).Where(plan.Matches).Select(s => _ids[s].Number).Order());
        }

        if (plan.TryBits(long.MaxValue, out var bits, out var exact))
        {
            Assert.All(bits.ToArray(), slot => Assert.InRange(slot, 0, SlotBound - 1));
            Assert.Equal(found, Live.Where(s => bits.Test(s) && (exact || plan.Matches(s))).Select(s => _ids[s].Number).Order());
        }

        Assert.InRange(found.Length, plan.Estimate.Min, plan.Estimate.Max);
        Assert.InRange(plan.Estimate.Expected, plan.Estimate.Min, plan.Estimate.Max);
        return found;
    }

    public ReadOnlySpan<byte> Payload(int slot) => Store.Get(slot);

    public PointId IdOf(int slot) => _ids[slot];

    public bool TryGetSlot(PointId id, out int slot) => _slots.TryGetValue(id, out slot);

    public bool HasVector(int slot, string vector) => vector == "even" && _ids[slot].Number % 2 == 0;

    public void Dispose() => Store.Dispose();
}
