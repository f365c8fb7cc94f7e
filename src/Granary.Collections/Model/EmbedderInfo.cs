namespace Granary.Collections;

/// <summary>A model that computes vectors from texts.</summary>
/// <param name="Model">Its name, as embedding rules and queries name it.</param>
/// <param name="Dimensions">The size of its vectors.</param>
public sealed record EmbedderInfo(string Model, int Dimensions);
