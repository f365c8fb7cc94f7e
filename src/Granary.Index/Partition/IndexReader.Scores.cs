using System.Buffers;
using Granary.Index.Partition;
using Granary.Index.Search;

namespace Granary.Index;

/// <content>Scores of given points, and what fusing legs asks besides.</content>
public sealed partial class IndexReader
{
    /// <summary>
    /// Gives the points whose score is NaN the leg's score of them, bit-equal to what a search finds; it stays NaN where the leg would
    /// not have them: the point or its vector is not there, or it fails the leg's filter or threshold, or shares no term.
    /// </summary>
    /// <exception cref="GranaryException">The leg names an unknown field or has the wrong dimensions.</exception>
    public void Complete(Leg leg, ReadOnlySpan<PointId> ids, Span<float> scores, CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(_ticket == Closed, this);
        var places = ArrayPool<int>.Shared.Rent(ids.Length);
        var rows = ArrayPool<int>.Shared.Rent(ids.Length);
        try
        {
            var field = FieldOf(leg);
            using var plan = _view.Plan(leg.Filter);
            if (field is null)
            {
                CompleteBySearch(leg, ids, scores, cancellation);
                return;
            }

            var count = 0;
            var filter = new SnapshotFilter(_view, field, plan);
            for (var i = 0; i < ids.Length; i++)
            {
                if (!float.IsNaN(scores[i]) || !_view.TryGetSlot(ids[i], out var slot) || field.RowOf(slot) is var row && row < 0)
                    continue;
                if (filter.TryAccept(ref slot))
                    (places[count], rows[count++]) = (i, row);
            }

            Score(leg, field, places.AsSpan(0, count), rows.AsSpan(0, count), scores);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(rows);
            ArrayPool<int>.Shared.Return(places);
        }
    }

    /// <summary>The newest operation of a point that this reader found; 0 when it is not there.</summary>
    public long VersionOf(PointId id) => _view.TryGetSlot(id, out var slot) ? _view.Slots.BirthOf(slot) : 0;

    /// <summary>The newest operation of a point of a hit.</summary>
    public long VersionOf(SlotHit hit) => _view.Slots.BirthOf(hit.Slot);

    /// <summary>The point of a hit.</summary>
    public PointId IdOf(SlotHit hit) => _view.IdOf(hit.Slot);

    /// <summary>The field whose rows the leg scores one by one; null where only a search does.</summary>
    internal Field? FieldOf(Leg leg) => leg switch
    {
        DenseLeg { Rows: 1 } dense => Fields.Find(dense.Vector) as DenseColumn,
        TextLeg text => Fields.Find(text.Field) as TextColumn,
        _ => null,
    };

    private void Score(Leg leg, Field field, ReadOnlySpan<int> places, ReadOnlySpan<int> rows, Span<float> scores)
    {
        var found = ArrayPool<float>.Shared.Rent(rows.Length);
        var higherIsBetter = true;
        if (field is DenseColumn column)
        {
            var query = DenseQueries.Rent(column.Vectors.Schema, ((DenseLeg)leg).Query.Span);
            column.Vectors.Score(query, rows, found);
            DenseQueries.Return(query);
            higherIsBetter = column.Vectors.Schema.Distance.HigherIsNearer();
        }
        else
        {
            var text = (TextLeg)leg;
            ((TextColumn)field).Postings.ScoreDocs(text.Text, text.Statistics, rows, found, text.EveryTerm);
        }

        for (var i = 0; i < rows.Length; i++)
        {
            if (leg.Admits(found[i], higherIsBetter))
                scores[places[i]] = found[i];
        }

        ArrayPool<float>.Shared.Return(found);
    }

    private void CompleteBySearch(Leg leg, ReadOnlySpan<PointId> ids, Span<float> scores, CancellationToken cancellation)
    {
        var places = new Dictionary<PointId, int>();
        for (var i = 0; i < ids.Length; i++)
        {
            if (float.IsNaN(scores[i]))
                places[ids[i]] = i;
        }

        if (places.Count == 0)
            return;
        foreach (var hit in Search(leg with { Candidates = [.. places.Keys], Limit = places.Count }, cancellation).Hits)
            scores[places[hit.Id]] = hit.Score;
    }
}
