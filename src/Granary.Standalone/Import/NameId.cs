using System.Security.Cryptography;
using System.Text;
using Granary.Index;

namespace Granary.Standalone.Import;

/// <summary>Ids made of names (UUID version 5, RFC 9562): the same source gives the same id, so importing again overwrites.</summary>
internal static class NameId
{
    /// <summary>The namespace of imported things.</summary>
    private static readonly Guid Space = new("6f1c1b0e-5a0e-5b6f-9d0a-7b1d6e0f4c11");

    /// <summary>The id of a name.</summary>
    public static PointId Of(string name)
    {
        var bytes = new byte[16 + Encoding.UTF8.GetByteCount(name)];
        Space.TryWriteBytes(bytes, bigEndian: true, out _);
        Encoding.UTF8.GetBytes(name, bytes.AsSpan(16));
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(bytes, hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new PointId(new Guid(hash[..16], bigEndian: true));
    }

    /// <summary>The id of a part of a file: a line, a row or a chunk.</summary>
    public static PointId Of(string file, long part) => Of(FormattableString.Invariant($"{file}#{part}"));

    /// <summary>The id a record names: a number or a UUID as it is, any other text through its hash.</summary>
    public static PointId OfText(string text) => PointId.TryParse(text, out var id) ? id : Of(text);
}
