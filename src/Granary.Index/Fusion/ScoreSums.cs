using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Fusion;

/// <summary>Sums of scores by point; each thread keeps one to use again.</summary>
internal sealed class ScoreSums
{
    private const int MostKept = 16_384;

    [ThreadStatic]
    private static ScoreSums? _idle;

    private readonly Dictionary<PointId, float> _sums = [];

    private ScoreSums()
    {
    }

    /// <summary>Sums of nothing yet; <see cref="Rank"/> ends their use.</summary>
    public static ScoreSums Rent()
    {
        var sums = _idle ?? new ScoreSums();
        _idle = null;
        sums._sums.Clear();
        return sums;
    }

    /// <summary>Adds to a point's sum.</summary>
    public void Add(in LegHit hit, float score) => CollectionsMarshal.GetValueRefOrAddDefault(_sums, hit.Id, out _) += score;

    /// <summary>
    /// Adds a list's scores, mapped from [<paramref name="zero"/>, <paramref name="one"/>] to [0, 1]; 0.5 where they are equal.
    /// </summary>
    public void AddNormalised(IReadOnlyList<LegHit> hits, float zero, float one, float weight)
    {
        var spread = one - zero;
        for (var i = 0; i < hits.Count; i++)
            Add(hits[i], (spread == 0f ? 0.5f : (hits[i].Score - zero) / spread) * weight);
    }

    /// <summary>Fills a list with the points, largest sum first, ties by id.</summary>
    public void Rank(int limit, List<LegHit> into)
    {
        foreach (var (id, score) in _sums)
            into.Add(new LegHit(id, score));
        into.Sort(static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Id.CompareTo(b.Id));
        if (into.Count > limit)
            into.RemoveRange(limit, into.Count - limit);
        if (_sums.Count <= MostKept)
            _idle = this;
    }
}
