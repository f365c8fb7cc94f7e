using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Fusion;

/// <summary>Sums of scores by point; each thread keeps one to use again.</summary>
internal sealed class ScoreSums
{
    private const int MostKept = 16_384;
    private const int Short = 32;

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
        {
            // A short list of the best is kept in order; a long one is sorted when it is there.
            if (limit > Short)
                into.Add(new LegHit(id, score));
            else if (into.Count < limit || (limit > 0 && Precedes(new LegHit(id, score), into[^1])))
                Insert(new LegHit(id, score), limit, into);
        }

        if (limit > Short)
        {
            into.Sort(static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Id.CompareTo(b.Id));
            if (into.Count > limit)
                into.RemoveRange(limit, into.Count - limit);
        }

        if (_sums.Count <= MostKept)
            _idle = this;
    }

    private static bool Precedes(in LegHit a, in LegHit b) => a.Score != b.Score ? a.Score > b.Score : a.Id < b.Id;

    private static void Insert(in LegHit hit, int limit, List<LegHit> into)
    {
        if (into.Count == limit)
            into.RemoveAt(limit - 1);
        var at = into.Count;
        while (at > 0 && Precedes(hit, into[at - 1]))
            at--;
        into.Insert(at, hit);
    }
}
