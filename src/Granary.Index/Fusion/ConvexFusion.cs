using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Fusion;

/// <summary>What a leg's scores are measured against.</summary>
public enum LegScale : byte
{
    /// <summary>
    /// Scores that count what is shared (BM25, sparse vectors): 0 says nothing is. Normalised by the best: (s / max)^2.
    /// </summary>
    Lexical,

    /// <summary>
    /// Scores without a zero of their own (similarities, distances): normalised so that the best is 1 and the n-th best of the
    /// candidates 0, n being how many hits the leg gave; what is worse goes on below 0, to -1. The n-th best is taken to be a hundredth
    /// worse than the best at least, so that hits that differ by a rounding error are ranked like hits that are equal.
    /// </summary>
    Similarity,
}

/// <summary>
/// A convex combination of normalised scores (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", 2023) over
/// candidates that every leg has scored: score(p) = sum of w_l * norm_l(s_l(p)) / sum of w_l, over the legs that found anything. The
/// order of use: <see cref="Add(LegScale, float, bool, ReadOnlySpan{LegHit})"/> each leg, fill <see cref="Scores"/> where a leg knows a
/// candidate it did not find, <see cref="Combine"/>, and again after scores were changed. Not thread-safe; to be used again after
/// <see cref="Clear"/>. docs/quality.md says where the constants come from and what else was tried.
/// </summary>
public sealed class ConvexFusion
{
    /// <summary>The weight of a <see cref="LegScale.Lexical"/> leg.</summary>
    public const float LexicalWeight = 1f;

    /// <summary>The weight of a <see cref="LegScale.Similarity"/> leg.</summary>
    public const float SimilarityWeight = 0.55f;

    private const int MostKept = 8192;

    private readonly Dictionary<PointId, int> _places = [];
    private readonly List<PointId> _ids = [];
    private readonly ConvexScores _scores = new();
    private int[] _order = [];

    /// <summary>How many legs were added.</summary>
    public int Legs => _scores.Legs;

    /// <summary>The candidates: every point that a leg found.</summary>
    public ReadOnlySpan<PointId> Ids => CollectionsMarshal.AsSpan(_ids);

    /// <summary>How many legs found anything.</summary>
    public int Found => _scores.Found;

    /// <summary>The weight a leg has where the caller names none.</summary>
    public static float WeightOf(LegScale scale) => scale == LegScale.Lexical ? LexicalWeight : SimilarityWeight;

    /// <summary>Adds a leg; its scores of candidates it did not find are NaN until they are filled in.</summary>
    /// <param name="scale">What its scores are measured against.</param>
    /// <param name="weight">How much it counts; 0 or less for not at all.</param>
    /// <param name="higherIsBetter">Whether larger scores are better.</param>
    /// <param name="hits">Best first.</param>
    [OverloadResolutionPriority(1)]
    public void Add(LegScale scale, float weight, bool higherIsBetter, List<LegHit> hits) =>
        Add(scale, weight, higherIsBetter, CollectionsMarshal.AsSpan(hits));

    /// <inheritdoc cref="Add(LegScale, float, bool, List{LegHit})"/>
    public void Add(LegScale scale, float weight, bool higherIsBetter, ReadOnlySpan<LegHit> hits)
    {
        _scores.Begin(scale, weight, higherIsBetter, hits.Length);
        foreach (ref readonly var hit in hits)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, hit.Id, out var known);
            if (!known)
            {
                place = _ids.Count;
                _ids.Add(hit.Id);
            }

            _scores.Set(place, hit.Score);
        }

        _scores.End();
    }

    /// <summary>Where in <see cref="Ids"/> a point is; -1 where it is no candidate.</summary>
    public int PlaceOf(PointId id) => _places.TryGetValue(id, out var place) ? place : -1;

    /// <summary>
    /// A leg's scores of <see cref="Ids"/>, to be read and filled in until <see cref="Combine"/>, and asked for again after it; NaN where
    /// it gives none.
    /// </summary>
    public Span<float> Scores(int leg) => _scores.Scores(leg);

    /// <summary>
    /// Computes the candidates' scores. A point that a leg gives no score counts there as a lexical leg's 0 or as a similarity leg's last
    /// hit; an infinite score as the leg's best or worst. Never falls with a leg's score of a point as long as the best and the n-th
    /// best of that leg stay.
    /// </summary>
    public void Combine() => _scores.Combine();

    /// <summary>
    /// Fills in the places in <see cref="Ids"/> of the best candidates, the best first, ties by id; as many as there is room for. Returns
    /// how many.
    /// </summary>
    public int Best(Span<int> places) => _scores.Best(places, new ById(_ids));

    /// <summary>Appends the ranking: the largest score first, ties by id. Where only one leg found anything its order stands.</summary>
    /// <param name="limit">How many are wanted.</param>
    /// <param name="hits">Receives them.</param>
    public void Rank(int limit, List<LegHit> hits)
    {
        var count = Math.Min(limit, _ids.Count);
        var sums = _scores.Sums;
        if (Found <= 1)
        {
            for (var place = 0; place < count; place++)
                hits.Add(new LegHit(_ids[place], sums[place]));
            return;
        }

        if (_order.Length < count)
            _order = new int[Math.Max(256, count * 2)];
        foreach (var place in _order.AsSpan(0, Best(_order.AsSpan(0, count))))
            hits.Add(new LegHit(_ids[place], sums[place]));
    }

    /// <summary>Forgets everything but the memory; that, too, after more candidates than most queries have.</summary>
    public void Clear()
    {
        var large = _ids.Count > MostKept;
        _scores.Clear(keep: !large);
        _places.Clear();
        _ids.Clear();
        if (!large)
            return;
        _places.TrimExcess();
        _ids.Capacity = 0;
        _order = [];
    }

    private readonly struct ById(List<PointId> ids) : IPlaceOrder
    {
        public bool Precedes(int place, int other) => ids[place] < ids[other];
    }
}
