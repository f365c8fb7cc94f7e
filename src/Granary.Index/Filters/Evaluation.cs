using Granary.Index.Payload;

namespace Granary.Index.Filters;

/// <summary>The top-level payload keys the conditions over one object need.</summary>
internal sealed class FilterScope
{
    public List<byte[]> Keys { get; } = [];

    public int Place(byte[] key)
    {
        var place = Keys.FindIndex(k => k.AsSpan().SequenceEqual(key));
        if (place >= 0)
            return place;
        Keys.Add(key);
        return Keys.Count - 1;
    }
}

/// <summary>
/// The check of one slot, or of one object of a nested condition. The object is scanned once, when a condition first needs a value; the
/// places of all wanted keys are kept.
/// </summary>
internal ref struct Evaluation
{
    private readonly FilterScope _scope;
    private readonly Span<int> _places;
    private ReadOnlySpan<byte> _json;
    private bool _scanned;

    /// <param name="context">The view.</param>
    /// <param name="slot">The slot.</param>
    /// <param name="scope">The wanted keys.</param>
    /// <param name="places">Two integers a key.</param>
    public Evaluation(IFilterContext context, int slot, FilterScope scope, Span<int> places)
    {
        (Context, Slot, _scope) = (context, slot, scope);
        _places = places;
    }

    public Evaluation(IFilterContext context, int slot, FilterScope scope, Span<int> places, ReadOnlySpan<byte> element)
        : this(context, slot, scope, places)
    {
        IsNested = true;
        _json = element;
    }

    public IFilterContext Context { get; }

    public int Slot { get; }

    /// <summary>Whether an object inside the payload is checked: conditions on the point itself do not hold there.</summary>
    public bool IsNested { get; }

    /// <summary>The value of the scope's key of that number; empty when there is none.</summary>
    public ReadOnlySpan<byte> Value(int key)
    {
        if (!_scanned)
            Scan();
        return _json[_places[2 * key].._places[(2 * key) + 1]];
    }

    private void Scan()
    {
        _scanned = true;
        _places.Clear();
        if (!IsNested)
            _json = Context.Payload(Slot);
        if (_json.IsEmpty)
            return;
        var start = JsonScan.SkipSpace(_json, 0);
        var members = new JsonMembers(_json[start..]);
        while (members.MoveNext())
        {
            for (var i = 0; i < _scope.Keys.Count; i++)
            {
                if (!JsonScan.StringEquals(members.Key, _scope.Keys[i]))
                    continue;
                var end = start + members.Position;
                (_places[2 * i], _places[(2 * i) + 1]) = (end - members.Value.Length, end);
                break;
            }
        }
    }
}
