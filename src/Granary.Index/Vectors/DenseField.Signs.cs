using System.Numerics;
using System.Runtime.Intrinsics;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <content>
/// Scans of many rows under a mask read a bit a dimension first (<see cref="SignPlane"/>): one cache line of 384 dimensions in place of
/// seven. Only the rows that may be among the nearest by that are compared on codes.
/// </content>
public sealed unsafe partial class DenseField
{
    // Rows looked at together.
    private const int SignedRows = 4096;

    // A scan of so many times the rows that are kept is worth it.
    private const int LeastSigned = 12;

    // The plane is made when as many rows were scanned without it as cost about what making it does: so many times the field's rows.
    private const int SignsAfter = 8;

    // It is made anew, with another centre, for a field that has grown so many times.
    private const int SignsGrowth = 4;

    // Chunks of it that one search makes: the others wait for the next ones, a search over many rows would make dozens.
    private const int MostMade = 4;

    // Nearest rows that must be met before what is far can be told, beyond K and a half.
    private const int FirstMore = 8;
    private const int MostFirst = 512;

    // A value differs from its code by up to half the row's scale, in the mean by this share of it, and a row by its code may be beyond the
    // K-th that by its original is not: so many standard deviations of that are let pass.
    private const float CodeError = 0.28867513f; // 1 / sqrt(12)
    private const float CodeDeviations = 3f;
    private SignPlane? _signs;
    private long _scanned;

    /// <summary>Bytes of the rows whose signs were made.</summary>
    internal long SignBytes => Volatile.Read(ref _signs)?.Bytes ?? 0;

    private bool HasSigns(int count, int k) => Volatile.Read(ref _signs) is not null && SuitsSigns(count, k);

    private bool SuitsSigns(int count, int k) =>
        _codes is not null && SignCode.Serves(_size) && FirstOf(k) <= MostFirst && count >= LeastSigned * ScanKeeps(k);

    private static int FirstOf(int k) => k + (k / 2) + FirstMore;

    private SignPlane? SignsFor(int count, int k)
    {
        if (!SuitsSigns(count, k))
            return null;
        var signs = Volatile.Read(ref _signs);
        var rows = RowCapacity;
        if (signs is null)
        {
            // A scan that is not counted, because two were at a time, does not matter.
            _scanned += count;
            if (_scanned < SignsAfter * (long)rows)
                return null;
        }
        else if (rows / SignsGrowth <= signs.MadeFor)
        {
            return signs;
        }

        // Another that was made meanwhile takes its place; one that grew old is freed when no search holds it.
        var made = new SignPlane(_codes!, _size, _euclid, rows);
        if (Interlocked.CompareExchange(ref _signs, made, signs) == signs)
            return made;
        made.Dispose();
        return Volatile.Read(ref _signs);
    }

    /// <summary>Adds the nearest rows of the mask to a pool; false where the query does not suit.</summary>
    private bool TryScanSigns<TWalk, TFilter>(
        in TWalk walk, SignPlane signs, in DenseSearch search, RowMask mask, ref CandidatePool pool, ref TFilter filter,
        SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var form = scratch.Targets(signs.TargetBytes);
        if (!signs.TryPrepare(search.Query.Target, form))
            return false;
        var target = walk.TargetOf(search.Query);
        var ids = scratch.Rows(SignedRows + RowBatches.MostRows);
        var lower = scratch.Distances(SignedRows + RowBatches.MostRows);
        var places = (byte**)scratch.Spare(SignPlane.Places);
        var sure = mask.IsExact && !search.IndexedOnly;
        var length = _euclid ? 0f : MathF.Sqrt(FloatKernels.Dot(search.Query.Pointer, search.Query.Pointer, _size));
        var batches = new RowBatches(mask, Math.Min(mask.Bound, RowCapacity));
        var made = 0;
        while (true)
        {
            var count = 0;
            while (count < SignedRows && batches.TryNext(ids + count, out var more))
                count += more;
            if (count == 0)
                return true;
            search.Cancellation.ThrowIfCancellationRequested();
            if (signs.Lower(form, ids, count, lower, places) is >= 0 and var missing && made < MostMade
                && signs.TryMake(missing, RowCapacity))
                made++;
            if (pool.Count < search.K)
                CompareFirst(walk, search, target, ids, lower, count, ref pool, ref filter, scratch);
            var near = RowBatches.KeepNear(ids, lower, count, Farthest(pool, search.K, length));
            for (var at = 0; at < near; at += RowBatches.MostRows)
            {
                var some = Math.Min(RowBatches.MostRows, near - at);
                walk.Scan(target, ids + at, some, lower + at);
                for (var j = at; j < at + some; j++)
                {
                    var key = CandidatePool.Pack(lower[j], ids[j]);
                    if ((!pool.IsFull || key < pool.Last) && (sure || Accepts(search, ids[j], ref filter)))
                        pool.Add(key);
                }
            }
        }
    }

    // Those that are nearest by their signs, so that the K-th distance is nearly known for the others. They are not met again. Rows of
    // which nothing is known are no help here, they are compared later.
    private void CompareFirst<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, byte* target, int* ids, float* lower, int count, ref CandidatePool pool, ref TFilter filter,
        SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var sure = search.Mask!.IsExact && !search.IndexedOnly;
        var nearest = scratch.Pool(FirstOf(search.K));
        var at = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; at <= count - Vector512<float>.Count; at += Vector512<float>.Count)
            {
                var most = Vector512.Create(nearest.IsFull ? CandidatePool.Distance(nearest.Last) : float.PositiveInfinity);
                var some = Vector512.Load(lower + at);
                var left = (Vector512.LessThanOrEqual(some, most) & Vector512.GreaterThan(some, Vector512.Create(float.NegativeInfinity)))
                    .ExtractMostSignificantBits();
                for (; left != 0; left &= left - 1)
                {
                    var j = at + BitOperations.TrailingZeroCount(left);
                    nearest.Add(CandidatePool.Pack(lower[j], j));
                }
            }
        }

        for (; at < count; at++)
        {
            if (lower[at] > float.NegativeInfinity)
                nearest.Add(CandidatePool.Pack(lower[at], at));
        }

        var rows = scratch.Chosen(nearest.Count);
        var distances = (float*)scratch.Slots(nearest.Count);
        for (var i = 0; i < nearest.Count; i++)
        {
            var place = CandidatePool.Row(nearest[i]);
            rows[i] = ids[place];
            lower[place] = float.NaN;
        }

        walk.Scan(target, rows, nearest.Count, distances);
        for (var i = 0; i < nearest.Count; i++)
        {
            if (sure || Accepts(search, rows[i], ref filter))
                pool.Add(CandidatePool.Pack(distances[i], rows[i]));
        }
    }

    // By codes a row may be so far and be among the K nearest by its original.
    private float Farthest(in CandidatePool pool, int k, float length)
    {
        if (pool.Count < k)
            return float.PositiveInfinity;
        var kth = CandidatePool.Distance(pool[k - 1]);
        if (!KeepsOriginals || float.IsInfinity(kth))
            return kth;
        var scale = *(float*)(_codes!.Row(CandidatePool.Row(pool[k - 1])) + RowCode.HeaderOffset(_size));
        return kth + (CodeDeviations * CodeError * scale * (_euclid ? 2 * MathF.Sqrt(MathF.Max(0f, kth)) : length));
    }
}
