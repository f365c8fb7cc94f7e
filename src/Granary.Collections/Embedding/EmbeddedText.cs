using Granary.Index;

namespace Granary.Collections.Embedding;

/// <summary>What became of one text.</summary>
/// <param name="Vector">Its vector; null when it has none, or could not be embedded.</param>
/// <param name="Error">Why it could not be embedded; null when it could, or has no vector.</param>
public readonly record struct EmbeddedText(float[]? Vector, GranaryException? Error);
