namespace Granary.Collections.Partitions;

/// <summary>Which of its partition's replicas one is; it may change while the replica runs.</summary>
/// <param name="number">The number to begin with.</param>
internal sealed class ReplicaRole(int number)
{
    private volatile int _number = number;

    /// <summary>The replica's number.</summary>
    public int Number
    {
        get => _number;
        set => _number = value;
    }

    /// <summary>Whether it takes checkpoints and embeds for all of them.</summary>
    public bool IsFirst => _number == 0;
}
