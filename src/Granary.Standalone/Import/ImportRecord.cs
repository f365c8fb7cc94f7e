using Granary.Client;
using Granary.Index;

namespace Granary.Standalone.Import;

/// <summary>One point to be, and where it came from.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line it begins at, from 1.</param>
/// <param name="Id">Its id.</param>
/// <param name="Payload">Its payload.</param>
internal sealed record ImportRecord(InputFile File, long Line, PointId Id, Payload Payload)
{
    /// <summary>The text to embed; null where there is none.</summary>
    public string? Text { get; init; }

    /// <summary>The vector it brings, or that was computed here.</summary>
    public float[]? Vector { get; set; }
}
