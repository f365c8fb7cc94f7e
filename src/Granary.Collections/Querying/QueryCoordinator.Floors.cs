using Granary.Collections.Searching;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Collections.Querying;

/// <content>
/// What partitions search for a text in vain. Those in this process share the score that is still of interest. Those elsewhere are told a
/// guess: what the ones here have found among what promises most in them is a sample of all, and the score that so many of it reach as will
/// rarely be among the best of all is rarely above the last of these. A partition says below which score hits may lack; where that turns
/// out to be above the last of the best, it is asked again (TryCompleteAsync), so that the answer never depends on a guess, on how
/// the points are spread, or on what changed while it was being made.
/// </content>
public sealed partial class QueryCoordinator
{
    /// <summary>A score that partitions elsewhere are told, once it is known.</summary>
    /// <param name="here">What the partitions here have found.</param>
    /// <param name="elsewhere">What the others are told.</param>
    private sealed class Guess(ScoreFloor here, ScoreFloor elsewhere)
    {
        private readonly ExecutionContext? _context = ExecutionContext.Capture();

        /// <summary>Asks when so many partitions here have looked at what promises most in them.</summary>
        public void Then(int searches, Action ask) => here.After(searches, () =>
        {
            elsewhere.Raise(here.Value);
            if (_context is null)
                ask();
            else
                ExecutionContext.Run(_context, static a => ((Action)a!)(), ask);
        });
    }

    private sealed partial class Run
    {
        /// <summary>How far beyond its share of the best of all a sample's hits are guessed to be worse than the last of these.</summary>
        private const double GuessDeviations = 1.1;

        /// <summary>Asks each partition for its legs, all of them the same but for what the partition alone is told.</summary>
        private ValueTask<PartitionAnswer[]> SearchEachAsync(
            IReadOnlyList<Leg> legs, Leg[][] each, PointSelection? along, CrossScoring? cross)
        {
            var guess = ShareFloors(legs, each);
            return owner.EachAsync(
                p => p.SearchAsync(new PartitionRequest(each[p.Number], read) { Fetch = along, Cross = cross }, cancellation), true, guess);
        }

        private Guess? ShareFloors(IReadOnlyList<Leg> legs, Leg[][] each)
        {
            Guess? guess = null;
            var near = 0;
            foreach (var partition in owner._partitions)
                near += partition.IsNear ? 1 : 0;
            if (near == 0 || each.Length == 1)
                return null;
            for (var i = 0; i < legs.Count; i++)
            {
                if (legs[i] is not TextLeg { Candidates: null })
                    continue;
                var limit = legs[i].Limit;
                var here = new ScoreFloor(near == each.Length ? limit : ShareLimit(limit, (double)near / each.Length, GuessDeviations));

                // Others are not kept waiting for legs of another kind.
                var elsewhere = near < each.Length && legs.Count == 1 ? ScoreFloor.At(float.NegativeInfinity) : null;
                if (elsewhere is not null)
                    guess = new Guess(here, elsewhere);
                foreach (var partition in owner._partitions)
                {
                    var p = partition.Number;
                    each[p][i] = (TextLeg)each[p][i] with { Floor = partition.IsNear ? here : elsewhere };
                }
            }

            return guess;
        }
    }
}
