using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Fusion;

/// <summary>Sums of scores by point.</summary>
internal readonly struct ScoreSums
{
    private readonly Dictionary<PointId, float> _sums;

    /// <summary>Makes room for the points of some lists.</summary>
    public ScoreSums(IReadOnlyList<IReadOnlyList<LegHit>> lists)
    {
        var longest = 0;
        foreach (var list in lists)
            longest = Math.Max(longest, list.Count);
        _sums = new Dictionary<PointId, float>(longest);
    }

    /// <summary>Adds to a point's sum.</summary>
    public void Add(in LegHit hit, float score) => CollectionsMarshal.GetValueRefOrAddDefault(_sums, hit.Id, out _) += score;

    /// <summary>
    /// Adds a list's scores, mapped from [<paramref name="zero"/>, <paramref name="one"/>] to [0, 1]; 0.5 where they are equal.
    /// </summary>
    public void AddNormalised(IReadOnlyList<LegHit> hits, float zero, float one, float weight)
    {
        var spread = one - zero;
        foreach (var hit in hits)
            Add(hit, (spread == 0f ? 0.5f : (hit.Score - zero) / spread) * weight);
    }

    /// <summary>The points, largest sum first, ties by id.</summary>
    public List<LegHit> Ranking(int limit)
    {
        var ranking = new List<LegHit>(_sums.Count);
        foreach (var (id, score) in _sums)
            ranking.Add(new LegHit(id, score));
        ranking.Sort(static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Id.CompareTo(b.Id));
        if (ranking.Count > limit)
            ranking.RemoveRange(limit, ranking.Count - limit);
        return ranking;
    }
}
