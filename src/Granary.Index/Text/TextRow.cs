namespace Granary.Index.Text;

/// <summary>What a text field keeps of a document beside its slot and length.</summary>
/// <param name="Terms">The numbers of its distinct terms, ascending, as variable-length differences.</param>
/// <param name="Forgotten">Whether it left the statistics.</param>
internal readonly record struct TextRow(byte[] Terms, bool Forgotten);
