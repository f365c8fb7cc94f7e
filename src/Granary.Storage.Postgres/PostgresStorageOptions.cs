using Granary.Collections.Ports;

namespace Granary.Storage.Postgres;

/// <summary>How a <see cref="PostgresStorage"/> works.</summary>
public sealed record PostgresStorageOptions
{
    /// <summary>
    /// When an append is acknowledged. Both wait until PostgreSQL has the commit on its own disk, since a commit that it only holds in
    /// memory is lost when PostgreSQL is killed; <see cref="Durability.Disk"/> waits for synchronous standbys too, where there are any.
    /// </summary>
    public Durability Durability { get; init; } = Durability.Process;

    /// <summary>
    /// Where checkpoints are kept to be mapped into memory; a folder of this user's in the system's temporary folder unless set. Processes
    /// may share it. What it holds can be deleted at any time and is fetched again.
    /// </summary>
    public string? CacheFolder { get; init; }

    /// <summary>Whether opening applies migrations that the database lacks; true unless set.</summary>
    public bool Migrate { get; init; } = true;

    /// <summary>Checkpoints are stored in chunks of this size; 4 MiB unless set.</summary>
    public int ChunkBytes { get; init; } = 4 << 20;

    /// <summary>How long a transient failure, such as a restart of PostgreSQL, is tried again before it is told; 10 s unless set.</summary>
    public TimeSpan RetryFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long opening waits for another writer's transaction before that writer's connection is ended: it may be stopped for ever amid
    /// one. 2 s unless set.
    /// </summary>
    public TimeSpan EvictAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Checkpoints that nobody wrote to for so long and that were not published are removed at opening; 6 h unless set.</summary>
    public TimeSpan LeftoverAge { get; init; } = TimeSpan.FromHours(6);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Check()
    {
        if (ChunkBytes is < 512 or > 1 << 28)
            throw new ArgumentOutOfRangeException(nameof(ChunkBytes), ChunkBytes, "ChunkBytes must be between 512 and 268435456");
        if (RetryFor < TimeSpan.Zero || RetryFor > TimeSpan.FromHours(1))
            throw new ArgumentOutOfRangeException(nameof(RetryFor), RetryFor, "RetryFor must be between 0 and 1 h");
        if (EvictAfter <= TimeSpan.Zero || EvictAfter > TimeSpan.FromHours(1))
            throw new ArgumentOutOfRangeException(nameof(EvictAfter), EvictAfter, "EvictAfter must be above 0 and at most 1 h");
    }
}
