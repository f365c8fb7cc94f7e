using Granary.Collections.Ports;

namespace Granary.Storage.Sqlite;

/// <summary>How a <see cref="SqliteStorage"/> writes.</summary>
public sealed record SqliteStorageOptions
{
    /// <summary>
    /// When an append is acknowledged; <see cref="Durability.Process"/> (<c>synchronous=NORMAL</c>) unless set, else <c>FULL</c>.
    /// </summary>
    public Durability Durability { get; init; } = Durability.Process;

    /// <summary>
    /// With <see cref="Durability.Process"/>, how long after an append its sync begins; 50 ms unless set, at most 100 ms.
    /// </summary>
    public TimeSpan SyncDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Checkpoints are kept in chunks of this size; 1 MiB unless set.</summary>
    public int ChunkBytes { get; init; } = 1 << 20;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Check()
    {
        if (SyncDelay < TimeSpan.Zero || SyncDelay > TimeSpan.FromMilliseconds(100))
            throw new ArgumentOutOfRangeException(nameof(SyncDelay), SyncDelay, "SyncDelay must be between 0 and 100 ms");
        if (ChunkBytes is < 512 or > 1 << 28)
            throw new ArgumentOutOfRangeException(nameof(ChunkBytes), ChunkBytes, "ChunkBytes must be between 512 and 268435456");
    }
}
