using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <summary>Bounds postings by their saturation under an average that is at or above that of any query they are used for.</summary>
internal readonly struct ImpactRule(RowTable<TextRow> rows, Saturation saturation)
{
    /// <summary>The saturation in steps of 1/255, rounded up; at least 1.</summary>
    public byte Bound(int row, uint frequency) =>
        (byte)Math.Clamp(Math.Ceiling(255 * saturation.Of(frequency, rows.LengthOf(row))), 1, 255);
}
