namespace Granary.Collections.Wire;

/// <summary>Single values that may be absent, and instants.</summary>
internal static class ScalarWire
{
    private const int MostOffsetMinutes = 14 * 60;

    /// <summary>An instant with its offset: ticks of the clock time, minutes of the offset.</summary>
    public static void WriteInstant(WireWriter writer, DateTimeOffset instant)
    {
        writer.Signed(instant.Ticks);
        writer.Signed(instant.TotalOffsetMinutes);
    }

    public static DateTimeOffset ReadInstant(ref WireReader reader)
    {
        var ticks = reader.Signed();
        var minutes = reader.Int();
        if (minutes is < -MostOffsetMinutes or > MostOffsetMinutes)
            throw reader.Damaged($"an offset of {minutes} minutes");
        var utc = (Int128)ticks - (minutes * TimeSpan.TicksPerMinute);
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks || utc < 0 || utc > DateTime.MaxValue.Ticks)
            throw reader.Damaged($"an instant of {ticks} ticks with an offset of {minutes} minutes");
        return new DateTimeOffset(ticks, TimeSpan.FromMinutes(minutes));
    }

    public static void WriteOptional(WireWriter writer, string? text)
    {
        writer.Bool(text is not null);
        if (text is not null)
            writer.String(text);
    }

    public static string? ReadOptionalString(ref WireReader reader) => reader.Bool() ? reader.String() : null;
}
