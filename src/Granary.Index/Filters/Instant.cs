using System.Globalization;

namespace Granary.Index.Filters;

/// <summary>
/// Instants as Qdrant reads them: RFC 3339; a space for the <c>T</c>; an offset without colon or minutes; without an offset UTC; without
/// seconds or as a date alone when there is no offset either. Compared in microseconds since 1970.
/// </summary>
internal static class Instant
{
    public static long ToMicroseconds(DateTimeOffset instant) =>
        (instant.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond
        - ((instant.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) % TimeSpan.TicksPerMicrosecond < 0 ? 1 : 0);

    public static DateTimeOffset FromMicroseconds(long microseconds) =>
        new(DateTimeOffset.UnixEpoch.Ticks + (microseconds * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    /// <summary>RFC 3339 in UTC with as many decimals as are needed.</summary>
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + "Z";

    public static bool TryParse(string text, out DateTimeOffset instant)
    {
        instant = default;
        if (text.Length > 64 || !TryParse(System.Text.Encoding.UTF8.GetBytes(text), out var microseconds))
            return false;
        instant = FromMicroseconds(microseconds);
        return true;
    }

    /// <summary>Parses the text of an instant (without quotes).</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length < 10 || text[4] != '-' || text[7] != '-'
            || !Digits(text[..4], out var year) || !Digits(text[5..7], out var month) || !Digits(text[8..10], out var day)
            || year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        microseconds = (new DateTime(
            year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        if (text.Length == 10)
            return true;
        if (text[10] is not ((byte)'T' or (byte)'t' or (byte)' ') || text.Length < 16 || text[13] != ':'
            || !Digits(text[11..13], out var hour) || !Digits(text[14..16], out var minute) || hour > 23 || minute > 59)
            return false;
        microseconds += ((hour * 60L) + minute) * 60_000_000;
        if (text.Length == 16)
            return true;

        // A leap second counts as the first of the next minute.
        if (text[16] != ':' || text.Length < 19 || !Digits(text[17..19], out var second) || second > 60)
            return false;
        microseconds += second * 1_000_000L;
        var rest = text[19..];
        if (rest.Length > 1 && rest[0] == '.')
        {
            var scale = 100_000L;
            var used = 1;
            for (; used < rest.Length && rest[used] is >= (byte)'0' and <= (byte)'9'; used++, scale /= 10)
                microseconds += (rest[used] - '0') * scale;
            if (used is 1 or > 10)
                return false;
            rest = rest[used..];
        }

        if (rest.IsEmpty)
            return true;
        if (rest[0] == ' ')
            rest = rest[1..];
        if (rest.Length == 1)
            return rest[0] is (byte)'Z' or (byte)'z';
        if (rest.IsEmpty || rest[0] is not ((byte)'+' or (byte)'-') || rest.Length < 3 || !Digits(rest[1..3], out var offsetHour))
            return false;
        var minutes = rest[3..];
        if (!minutes.IsEmpty && minutes[0] == ':')
            minutes = minutes[1..];
        var offsetMinute = 0;
        if (!(minutes.IsEmpty && rest.Length == 3) && (minutes.Length != 2 || !Digits(minutes, out offsetMinute)))
            return false;
        if (offsetHour > 23 || offsetMinute > 59)
            return false;
        var offset = ((offsetHour * 60L) + offsetMinute) * 60_000_000;
        microseconds += rest[0] == '-' ? offset : -offset;

        // What falls outside the years 1 to 9999 in UTC has no DateTimeOffset.
        return microseconds is >= -62_135_596_800_000_000 and < 253_402_300_800_000_000;
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9')
                return false;
            value = (value * 10) + (b - '0');
        }

        return true;
    }
}
