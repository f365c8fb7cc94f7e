using System.Numerics;
using System.Runtime.InteropServices;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Benchmarks;

/// <summary>The constants of a convex fusion.</summary>
/// <param name="Weight">Of the dense leg, BM25 having 1.</param>
/// <param name="Power">Of BM25's normalised scores.</param>
/// <param name="Points">How many of the best points the dense query is moved towards.</param>
/// <param name="Share">Of the query in the moved one.</param>
internal readonly record struct FusionConstants(double Weight, double Power, int Points, double Share)
{
    public override string ToString() => $"weight {Weight:F2}, power {Power}, "
        + (Points == 0 ? "no feedback" : $"{Points} points, share {Share}");
}

/// <summary>
/// What both legs found for a query and the scores of all of it by both, so that fusions can be tried without asking the collection again.
/// The arithmetic is that of docs/quality.md in doubles; the word <c>fusion-sweep</c> prints the shipped constants' figures,
/// which are those of the word <c>quality</c>.
/// </summary>
internal sealed class FusionCandidates
{
    private readonly JudgedSet _set;
    private readonly int _query;
    private readonly int[] _text;
    private readonly int[] _dense;
    private readonly int[] _rows;
    private readonly double[] _lexical;
    private readonly double[] _similar;
    private readonly double[] _norms;

    private FusionCandidates(JudgedSet set, int query, int[] text, int[] dense, Dictionary<int, double> lexical)
    {
        (_set, _query, _text, _dense) = (set, query, text, dense);
        _rows = [.. text.Union(dense).Order()];
        _lexical = [.. _rows.Select(row => lexical.GetValueOrDefault(row))];
        _norms = [.. _rows.Select(row => Math.Sqrt(Dot(set.DocumentVectors[row], set.DocumentVectors[row])))];
        _similar = Similar(set.QueryVectors[query]);
    }

    public IReadOnlyList<int> Text => _text;

    // A text without a known word has a zero vector, which is near to nothing.
    public IReadOnlyList<int> Dense => _set.QueryVectors[_query].ContainsAnyExcept(0f) ? _dense : [];

    public static async Task<FusionCandidates> AskAsync(ICollection collection, JudgedSet set, int query, int depth)
    {
        var words = new NearestQuery(new TextInput(set.Queries[query]));
        var text = await collection.QueryAsync(new QueryRequest { Query = words, Using = "text", Limit = depth });
        var dense = await collection.QueryAsync(new QueryRequest
        {
            Query = new NearestQuery(new DenseInput(set.QueryVectors.Row(query))),
            Params = new SearchParams { Exact = true },
            Limit = depth,
        });
        var lexical = text.ToDictionary(hit => (int)hit.Id.Number, hit => (double)hit.Score);
        PointId[] others = [.. dense.Select(hit => hit.Id).Where(id => !lexical.ContainsKey((int)id.Number))];
        if (others.Length > 0)
        {
            var filter = new Filter { Must = [new HasIdCondition([.. others])] };
            foreach (var hit in await collection.QueryAsync(
                new QueryRequest { Query = words, Using = "text", Limit = others.Length, Filter = filter }))
                lexical[(int)hit.Id.Number] = hit.Score;
        }

        return new FusionCandidates(set, query, Rows(text), Rows(dense), lexical);
    }

    public int[] Rrf(int k)
    {
        var scores = new Dictionary<int, double>();
        foreach (var list in new[] { _text, _dense })
        {
            for (var i = 0; i < list.Length; i++)
                scores[list[i]] = scores.GetValueOrDefault(list[i]) + (1.0 / (i + k));
        }

        return [.. scores.OrderByDescending(pair => (float)pair.Value).ThenBy(pair => pair.Key).Select(pair => pair.Key)];
    }

    public int[] Convex(FusionConstants constants)
    {
        if (_text.Length == 0 || _dense.Length == 0)
            return _text.Length == 0 ? _dense : _text;
        var order = Ranked(constants, _similar);
        if (constants.Points == 0)
            return [.. order.Select(place => _rows[place])];
        var query = _set.QueryVectors[_query];
        var moved = new float[query.Length];
        AddUnit(query, constants.Share, moved);
        var best = order.Take(constants.Points).ToArray();
        foreach (var place in best)
            AddUnit(_set.DocumentVectors[_rows[place]], (1 - constants.Share) / best.Length, moved);
        return [.. Ranked(constants, Similar(moved)).Select(place => _rows[place])];
    }

    private static int[] Rows(IReadOnlyList<ScoredPoint> hits) => [.. hits.Select(hit => (int)hit.Id.Number)];

    private static void AddUnit(ReadOnlySpan<float> vector, double share, float[] moved)
    {
        var norm = Math.Sqrt(Dot(vector, vector));
        for (var i = 0; i < moved.Length && norm > 0; i++)
            moved[i] += (float)(vector[i] * share / norm);
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var many = MemoryMarshal.Cast<float, Vector<float>>(a);
        var others = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sums = Vector<float>.Zero;
        for (var i = 0; i < many.Length; i++)
            sums += many[i] * others[i];
        double sum = Vector.Sum(sums);
        for (var i = many.Length * Vector<float>.Count; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private double[] Similar(ReadOnlySpan<float> query)
    {
        var scores = new double[_rows.Length];
        var norm = Math.Sqrt(Dot(query, query));
        for (var i = 0; i < scores.Length; i++)
        {
            var both = norm * _norms[i];
            scores[i] = both > 0 ? Dot(query, _set.DocumentVectors[_rows[i]]) / both : 0;
        }

        return scores;
    }

    /// <summary>Places of the candidates, best first.</summary>
    private int[] Ranked(FusionConstants constants, double[] similar)
    {
        double most = _lexical.Max(), best = similar.Max();
        var zero = similar.OrderDescending().ElementAt(_dense.Length - 1);
        var spread = Math.Max(best - zero, 0.01 * Math.Max(Math.Abs(best), Math.Abs(zero)));
        var keys = new float[_rows.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            var lexical = most > 0 ? Math.Pow(_lexical[i] / most, constants.Power) : 0;
            var dense = similar[i] >= best ? 1 : Math.Max(1 - ((best - similar[i]) / spread), -1);
            keys[i] = -(float)((lexical + (constants.Weight * dense)) / (1 + constants.Weight));
        }

        var order = Enumerable.Range(0, keys.Length).ToArray();
        Array.Sort(order, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        return order;
    }
}
