using System.Collections.Immutable;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Partition;

/// <content>Scores by several examples, as Qdrant computes them, over every point that matches.</content>
internal sealed partial class LegSearch
{
    private const float Margin = 1.1920929e-7f;

    /// <summary>Runs the leg. Similarities grow with nearness: distances count negatively, Euclid's squared.</summary>
    public LegResult Examples(ExampleLeg example)
    {
        if (Fields.Find(example.Vector) is not VectorColumn column)
            throw LegChecks.UnknownVector(example.Vector);
        var target = example.Target is null ? null : Prepare(column, example.Target, example.Statistics);
        var positive = PrepareAll(column, example.Positive, example.Statistics);
        var negative = PrepareAll(column, example.Negative, example.Statistics);
        Check(example, positive, negative);
        var best = new BestHits<LegHit>(leg.Limit, HitOrder.HighestFirst);
        var filter = new SnapshotFilter(view, column, plan);
        if (TryRows(column, CandidateBound, out var rows))
        {
            foreach (var row in rows)
                Offer(row);
        }
        else
        {
            for (var row = 0; row < column.RowCapacity; row++)
                Offer(row);
        }

        return new LegResult(best.Take(), HigherIsBetter: true);

        void Offer(int row)
        {
            if (row % 4096 == 0)
                cancellation.ThrowIfCancellationRequested();
            var slot = column.SlotOf(row);
            if (slot < 0 || !filter.TryAccept(ref slot))
                return;
            var score = example.Strategy switch
            {
                ExampleStrategy.BestScore => BestScore(positive, negative, row),
                ExampleStrategy.SumScores => Sum(positive, row) - Sum(negative, row),
                ExampleStrategy.Discover => Discover(target!, positive, negative, row),
                _ => Context(positive, negative, row),
            };
            if (leg.Admits(score, higherIsBetter: true))
                best.Add(new LegHit(view.IdOf(slot), score));
        }
    }

    private static void Check(ExampleLeg example, Func<int, float>[] positive, Func<int, float>[] negative)
    {
        var pairs = example.Strategy is ExampleStrategy.Discover or ExampleStrategy.Context;
        if (pairs && positive.Length != negative.Length)
            throw GranaryException.BadInput(
                $"A context has {positive.Length} positive and {negative.Length} negative vectors; they come in pairs");
        if (example.Strategy == ExampleStrategy.Discover && example.Target is null)
            throw GranaryException.BadInput("A discovery needs a target");
    }

    private static float BestScore(Func<int, float>[] positive, Func<int, float>[] negative, int row)
    {
        var best = Max(positive, row);
        var worst = Max(negative, row);
        return best > worst ? ScaledSigmoid(best) : -ScaledSigmoid(worst);
    }

    private static float Discover(Func<int, float> target, Func<int, float>[] positive, Func<int, float>[] negative, int row)
    {
        var rank = 0;
        for (var i = 0; i < positive.Length; i++)
            rank += positive[i](row).CompareTo(negative[i](row));
        return rank + ScaledSigmoid(target(row));
    }

    private static float Context(Func<int, float>[] positive, Func<int, float>[] negative, int row)
    {
        var sum = 0f;
        for (var i = 0; i < positive.Length; i++)
            sum += Sigmoid(MathF.Min(positive[i](row) - negative[i](row) - Margin, 0f));
        return sum;
    }

    private static float Max(Func<int, float>[] similarities, int row)
    {
        var max = float.NegativeInfinity;
        foreach (var similarity in similarities)
            max = MathF.Max(max, similarity(row));
        return max;
    }

    private static float Sum(Func<int, float>[] similarities, int row)
    {
        var sum = 0f;
        foreach (var similarity in similarities)
            sum += similarity(row);
        return sum;
    }

    // x / (1 + |x|) is NaN at infinity, where its limit is taken.
    private static float Sigmoid(float x) => float.IsInfinity(x) ? MathF.Sign(x) : x / (1f + MathF.Abs(x));

    private static float ScaledSigmoid(float x) => 0.5f * (Sigmoid(x) + 1f);

    private static Func<int, float>[] PrepareAll(
        VectorColumn column, ImmutableArray<ExampleVector> examples, SparseStatistics? statistics) =>
        [.. examples.Select(example => Prepare(column, example, statistics))];

    private static Func<int, float> Prepare(VectorColumn column, ExampleVector example, SparseStatistics? statistics)
    {
        var values = example.Values;
        if (!LegChecks.AllFinite(values.Span))
            throw GranaryException.BadInput($"An example for vector \"{column.Name}\" holds a value that is not a finite number");
        var sparse = !example.Indices.IsEmpty || column is SparseColumn;
        switch (column)
        {
            case DenseColumn dense when !sparse:
                if (example.Rows > 1)
                    throw LegChecks.WrongShape(sparse: false, column.Name);
                var query = new DenseQuery(dense.Vectors.Schema, values.Span);
                return row => Similarity(query.Distance, dense.Vectors.Score(query, row));
            case MultiColumn multi when !sparse:
                LegChecks.SameSize(multi.Matrices.Schema.Size, values.Length / Math.Max(1, example.Rows));
                var matrix = new MultiQuery(multi.Matrices.Schema, values.Span);
                return row => Similarity(matrix.Distance, multi.Matrices.Score(matrix, row));
            case SparseColumn postings when values.Length == example.Indices.Length:
                var weighted = postings.Postings.Prepare(example.Indices.Span, values.Span, statistics);
                return row => postings.Postings.Score(row, weighted) is var score && float.IsNaN(score) ? 0f : score;
            default:
                throw LegChecks.WrongShape(sparse, column.Name);
        }
    }

    private static float Similarity(Distance distance, float score) => distance switch
    {
        Distance.Euclid => -(score * score),
        Distance.Manhattan => -score,
        _ => score,
    };
}
