using Granary.Collections.Ports;

namespace Granary.Storage.Files;

/// <summary>How a <see cref="FileStorage"/> writes.</summary>
public sealed record FileStorageOptions
{
    /// <summary>
    /// When an append is acknowledged; <see cref="Durability.Process"/> unless set. Catalog and checkpoints are always synced.
    /// </summary>
    public Durability Durability { get; init; } = Durability.Process;

    /// <summary>
    /// A log segment that has reached this size is followed by a new one; 64 MiB unless set, at least 4 KiB. Truncation frees whole
    /// segments.
    /// </summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>
    /// With <see cref="Durability.Process"/>, how long after an append its sync begins; 50 ms unless set, at most 100 ms.
    /// </summary>
    public TimeSpan SyncDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Check()
    {
        if (SegmentBytes < 4096)
            throw new ArgumentOutOfRangeException(nameof(SegmentBytes), SegmentBytes, "SegmentBytes must be at least 4096");
        if (SyncDelay < TimeSpan.Zero || SyncDelay > TimeSpan.FromMilliseconds(100))
            throw new ArgumentOutOfRangeException(nameof(SyncDelay), SyncDelay, "SyncDelay must be between 0 and 100 ms");
    }
}
