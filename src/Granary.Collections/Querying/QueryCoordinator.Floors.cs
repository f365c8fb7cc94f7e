using Granary.Collections.Partitions;
using Granary.Collections.Searching;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Collections.Querying;

/// <content>
/// What partitions search for a text in vain. Those in this process share the score that is still of interest, and each begins before any
/// goes on from what promises most to the rest. Those elsewhere are told a guess: what was found here until then is a sample of all, and
/// the score that so many of it reach as will rarely be among the best of all is rarely above the last of these. A partition says below
/// which score hits may lack; where that turns out to be above the last of the best, it is asked again (TryCompleteAsync), so that the
/// answer never depends on a guess, on how the points are spread, or on what changed in between.
/// </content>
public sealed partial class QueryCoordinator
{
    /// <summary>So many searches begin each in the middle of another.</summary>
    private const int MostBegun = 8;

    private sealed partial class Run
    {
        /// <summary>Asks each partition for its legs, all of them the same but for what the partition alone is told.</summary>
        private ValueTask<PartitionAnswer[]> SearchEachAsync(
            IReadOnlyList<Leg> legs, Leg[][] each, PointSelection? along, CrossScoring? cross)
        {
            var near = new List<int>(each.Length);
            for (var p = 0; p < each.Length; p++)
            {
                if (owner._partitions[p].IsNear)
                    near.Add(p);
            }

            // Legs of another kind take longer than others should be kept waiting.
            var alone = legs.Count == 1 && near.Count > 0 && each.Length > 1;
            ScoreFloor? here = null, elsewhere = null;
            for (var i = 0; i < legs.Count && each.Length > 1; i++)
            {
                if (legs[i] is not TextLeg { Candidates: null, Limit: > 0 and var limit })
                    continue;
                if (legs.Count == 1 && near.Count < each.Length)
                    elsewhere = ScoreFloor.At(float.NegativeInfinity, limit, each.Length);
                here = new ScoreFloor(
                    near.Count == each.Length ? limit : SharedSearches.ShareLimit(limit, (double)near.Count / each.Length));
                for (var p = 0; p < each.Length; p++)
                    each[p][i] = (TextLeg)each[p][i] with { Floor = elsewhere };
                foreach (var p in near)
                    each[p][i] = (TextLeg)each[p][i] with { Floor = here };
            }

            return alone && here is not null
                ? new SharedSearch(owner, near, here, elsewhere, AskAsync).RunAsync()
                : owner.EachAsync(AskAsync, true);

            ValueTask<PartitionAnswer> AskAsync(IPartitionSearch partition) => partition.SearchAsync(
                new PartitionRequest(each[partition.Number], read) { Fetch = along, Cross = cross }, cancellation);
        }
    }

    /// <summary>The partitions' searches for one text.</summary>
    /// <param name="owner">Has the partitions.</param>
    /// <param name="near">Those in this process; there are some.</param>
    /// <param name="here">What they have found.</param>
    /// <param name="elsewhere">What the others are told; null where there are none.</param>
    /// <param name="ask">Asks one.</param>
    private sealed class SharedSearch(
        QueryCoordinator owner, List<int> near, ScoreFloor here, ScoreFloor? elsewhere,
        Func<IPartitionSearch, ValueTask<PartitionAnswer>> ask)
    {
        private readonly ExecutionContext? _context = ExecutionContext.Capture();
        private readonly PartitionAnswer[] _answers = new PartitionAnswer[owner._partitions.Count];
        private readonly List<Task> _far = [];
        private readonly List<Task> _near = new(near.Count);
        private bool _early;
        private int _thread;
        private int _next;
        private int _begun;
        private int _awaited;
        private int _toBegin;
        private int _farAsked;

        public async ValueTask<PartitionAnswer[]> RunAsync()
        {
            var points = near.Sum(i => owner._partitions[i].EstimatedPoints);

            // A guess that spares little is not worth waiting for.
            if (elsewhere is not null && points < ParallelFrom)
                AskFar();
            _early = points >= SharedSearches.ParallelFrom;
            if (_early && near.Count > 1 && Environment.ProcessorCount > 1)
            {
                _awaited = Math.Min(near.Count, Environment.ProcessorCount);
                _toBegin = near.Count;
                Use(Passed);
                _near.Add(Parallel.ForAsync(0, near.Count, (i, _) => BeginAsync(near[i])));
            }
            else
            {
                _thread = Environment.CurrentManagedThreadId;
                Use(BeginNext);
                while (_next < near.Count)
                    BeginNext();
                Volatile.Write(ref _thread, 0);

                // All that so few points have to say makes a better guess than what they say first, and takes little longer. One that
                // is not done has to wait for something: the others need not wait for that, too.
                if (!_near.Exists(t => t.IsFaulted || t.IsCanceled))
                    AskFar();
            }

            // Whoever asks those elsewhere does it within a search here.
            await Task.WhenAll(_near).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAll([.. _near, .. _far]).ConfigureAwait(false);
            return _answers;
        }

        /// <summary>What a search here does once it has looked at what promises most.</summary>
        private void Use(Action passed)
        {
            // The traces of what it begins are not part of its own.
            here.WhenPassed(_context is null ? passed : () => ExecutionContext.Run(_context, static p => ((Action)p!)(), passed));
        }

        /// <summary>
        /// Begins the next search here, or after the last all elsewhere, where many points here would keep those waiting. A search that had
        /// to wait, and went on on another thread or later, begins nothing.
        /// </summary>
        private void BeginNext()
        {
            if (Volatile.Read(ref _thread) != Environment.CurrentManagedThreadId)
                return;
            if (_next == near.Count)
            {
                if (_early)
                    AskFar();
                return;
            }

            if (_begun == MostBegun)
                return;
            _begun++;
            _near.Add(AskAsync(near[_next++]).AsTask());
            _begun--;
        }

        /// <summary>Side by side: asks those elsewhere once as many have passed as there are processors.</summary>
        private void Passed()
        {
            if (Interlocked.Decrement(ref _awaited) == 0)
                AskFar();
        }

        private ValueTask BeginAsync(int i)
        {
            // One that has to wait for something counts as passed, and the last asks those elsewhere though none had to pass.
            var asked = AskAsync(i);
            if (!asked.IsCompleted)
                Passed();
            if (Interlocked.Decrement(ref _toBegin) == 0)
                AskFar();
            return asked;
        }

        private void AskFar()
        {
            if (elsewhere is null || Interlocked.Exchange(ref _farAsked, 1) != 0)
                return;
            elsewhere.Raise(here.Value);
            var isNear = new HashSet<int>(near);
            using (CallBurst.Begin())
            {
                for (var i = 0; i < _answers.Length; i++)
                {
                    if (!isNear.Contains(i))
                        _far.Add(AskAsync(i).AsTask());
                }
            }
        }

        private async ValueTask AskAsync(int i) => _answers[i] = await ask(owner._partitions[i]).ConfigureAwait(false);
    }
}
