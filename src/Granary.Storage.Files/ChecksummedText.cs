using System.Globalization;
using System.Text;
using Granary.Index.Checkpoints;

namespace Granary.Storage.Files;

/// <summary>
/// Lines that end with <c>crc32c xxxxxxxx</c>, the checksum of all bytes before that line: legible, and damage is noticed.
/// </summary>
internal static class ChecksummedText
{
    private const string Last = "crc32c ";

    public static byte[] Seal(StringBuilder text)
    {
        var crc = Crc32C.Compute(Encoding.UTF8.GetBytes(text.ToString()));
        return Encoding.UTF8.GetBytes(text.Append(CultureInfo.InvariantCulture, $"{Last}{crc:x8}\n").ToString());
    }

    /// <summary>The lines without the last.</summary>
    /// <exception cref="Index.GranaryException">The checksum is missing or does not match.</exception>
    public static string[] Open(string path, byte[] bytes)
    {
        var length = bytes.Length - (Last.Length + 9);
        if (length <= 0)
            throw FileErrors.Corrupted(path, bytes.Length, "it is too short");
        var crc = Crc32C.Compute(bytes.AsSpan(0, length));
        var expected = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Last}{crc:x8}\n"));
        if (!bytes.AsSpan(length).SequenceEqual(expected))
            throw FileErrors.Corrupted(path, length, "its checksum does not match");
        return Encoding.UTF8.GetString(bytes, 0, length - 1).Split('\n');
    }
}
