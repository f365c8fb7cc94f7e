namespace Granary.Index.Text;

/// <summary>
/// The score of the k-th best hit that several searches of one query have found so far, all of them together: none of them need look for
/// what is worse. Thread-safe.
/// </summary>
/// <remarks>
/// It holds for searches that score alike (the same query, the same statistics) and look among different points (other partitions), so
/// that no point is offered twice. Then k points are known to score this or more, each one accepted by its search's filter in the
/// version its search sees, and what scores less is not among the k best of all. What scores the same may be: the searches keep it, for
/// ties go by id. However few hits a search was asked for, and whatever threshold its caller applies afterwards, this stays so.
/// Searches that begin anew, since their answer was lost or what they saw is another by now, must not go on with the same floor.
/// </remarks>
/// <param name="k">How many hits are wanted of all the searches together.</param>
public sealed class ScoreFloor(int k)
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<float, float> _best = new(); // The worst first.
    private readonly bool _given;
    private Action? _passed;
    private float _value = k > 0 ? float.NegativeInfinity : float.PositiveInfinity;

    private ScoreFloor(float score, int limit, int partitions)
        : this(limit) => (_given, _value, Partitions) = (true, score, partitions);

    /// <summary>How many hits are wanted of all the searches together.</summary>
    public int Limit => k;

    /// <summary>Hits below this are of no interest; negative infinity as long as fewer than k were found.</summary>
    public float Value => Volatile.Read(ref _value);

    /// <summary>How many partitions there are in all, where some of them may share a floor among themselves; else 0.</summary>
    public int Partitions { get; }

    /// <summary>One that hits do not raise.</summary>
    /// <param name="score">The score.</param>
    /// <param name="limit">How many hits are wanted of all partitions.</param>
    /// <param name="partitions"><see cref="Partitions"/>.</param>
    public static ScoreFloor At(float score, int limit = int.MaxValue, int partitions = 0) => new(score, limit, partitions);

    /// <summary>
    /// What each search calls, on its thread, when it has looked at what promises most and is about to go on with the rest: what is begun
    /// in between raises the floor before that. It must not throw.
    /// </summary>
    public void WhenPassed(Action passed) => _passed = passed;

    /// <summary>Tells that a search has looked at what promises most; says whether anybody cares.</summary>
    internal bool Pass()
    {
        _passed?.Invoke();
        return _passed is not null;
    }

    /// <summary>Tells of a hit that was found.</summary>
    public void Offer(float score)
    {
        if (_given || !(score > Value))
            return;
        lock (_lock)
        {
            if (!(score > _value))
                return;
            if (_best.Count < k)
                _best.Enqueue(score, score);
            else
                _best.EnqueueDequeue(score, score);
            if (_best.Count == k && _best.Peek() is var worst && worst > _value)
                Volatile.Write(ref _value, worst);
        }
    }

    /// <summary>Tells that hits below a score are of no interest.</summary>
    public void Raise(float score)
    {
        if (!(score > Value))
            return;
        lock (_lock)
        {
            if (score > _value)
                Volatile.Write(ref _value, score);
        }
    }
}
