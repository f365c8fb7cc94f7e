using System.Globalization;
using System.Text.Json;

namespace Granary.Cluster.Tests.Support;

/// <summary>What a point should look like: the version it was written with, and the note set since.</summary>
internal readonly record struct PointState(long Version, long? Note);

/// <summary>
/// What was acknowledged, and what was sent and not answered: that may have happened, or may yet. An id whose change was not answered is
/// not changed again, so that exactly two contents are right for it.
/// </summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, PointState?> _acknowledged = [];
    private readonly Dictionary<int, PointState?> _maybe = [];

    /// <summary>Acknowledged changes of points.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>Changes of points that were sent and not answered, or refused.</summary>
    public long Unanswered { get; private set; }

    /// <summary>What an id was last acknowledged with; null: it is not there.</summary>
    public PointState? StateOf(int id)
    {
        lock (_lock)
            return _acknowledged.GetValueOrDefault(id);
    }

    /// <summary>A request was answered, or was not.</summary>
    public void Note(IEnumerable<int> ids, Func<PointState?, PointState?> change, bool answered)
    {
        lock (_lock)
        {
            foreach (var id in ids)
            {
                var next = change(_acknowledged.GetValueOrDefault(id));
                if (answered)
                {
                    _acknowledged[id] = next;
                    Acknowledged++;
                }
                else
                {
                    _acknowledged.TryAdd(id, null);
                    _maybe[id] = next;
                    Unanswered++;
                }
            }
        }
    }

    /// <summary>What of a collection's points contradicts the ledger, a line each.</summary>
    /// <param name="points">Every point with payload and vector, as <see cref="Rest.AllPointsAsync"/> gives them.</param>
    public List<string> Contradictions(IEnumerable<string> points)
    {
        var wrong = new List<string>();
        var found = new Dictionary<int, PointState?>();
        foreach (var line in points)
        {
            var point = JsonElement.Parse(line);
            var id = point.GetProperty("id").GetInt32();
            var payload = point.GetProperty("payload");
            var state = new PointState(
                payload.GetProperty("version").GetInt64(), payload.TryGetProperty("note", out var note) ? note.GetInt64() : null);
            if (!found.TryAdd(id, state))
                wrong.Add($"point {id} is there twice");
            if (payload.GetProperty("words").GetString() != Points.Text(id, state.Version))
                wrong.Add($"point {id} has another text than was written as version {state.Version}: {line}");
            var vector = point.GetProperty("vector").EnumerateArray().Select(static v => v.GetSingle());
            if (!vector.SequenceEqual(Points.Values(id, state.Version)))
                wrong.Add($"point {id} has another vector than was written as version {state.Version}: {line}");
        }

        lock (_lock)
        {
            wrong.AddRange(found.Keys.Where(id => !_acknowledged.ContainsKey(id)).Select(static id => $"point {id} was never written"));
            foreach (var (id, acknowledged) in _acknowledged)
            {
                var actual = found.GetValueOrDefault(id);
                if (actual != acknowledged && !(_maybe.TryGetValue(id, out var maybe) && actual == maybe))
                    wrong.Add($"point {id} is {Show(actual)}, acknowledged was {Show(acknowledged)}"
                        + (_maybe.TryGetValue(id, out var sent) ? $", sent {Show(sent)}" : ""));
            }
        }

        return wrong;
    }

    private static string Show(PointState? state) => state is { } there
        ? string.Create(CultureInfo.InvariantCulture, $"version {there.Version} with note {there.Note}") : "not there";
}
