using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <summary>Text keeps no summary with its blocks: <see cref="ImpactList"/> bounds smaller groups of rows.</summary>
internal sealed class NoBounds : BoundRule
{
    public static readonly NoBounds Instance = new();

    public override int Summarise(ReadOnlySpan<int> rows, ReadOnlySpan<uint> payloads, Span<uint> summary) => 0;

    public override uint[] Merge(ReadOnlySpan<uint> one, ReadOnlySpan<uint> other) => [];
}
