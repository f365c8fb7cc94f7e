using System.Text;
using Granary.Index.Checkpoints;
using Granary.Index.Operations;

namespace Granary.Index.Partition;

/// <summary>
/// Which versions of points have a vector of one field that was computed from their text, and from the text at which payload path. Takes
/// no memory until the first. One thread writes; readers that hold an epoch may read the slots they see.
/// </summary>
internal sealed class ComputedMarks
{
    /// <summary>The vectors of a field may come from so many paths.</summary>
    public const int MaxPaths = byte.MaxValue;

    // A byte a slot: 0 for a vector given by a client (or none), or the path's number + 1. Both arrays only grow, by replacement.
    private byte[] _codes = [];
    private string[] _paths = [];

    /// <summary>Whether there is nothing to write down.</summary>
    public bool IsEmpty => _paths.Length == 0;

    /// <summary>Bytes held.</summary>
    public long Bytes => _codes.Length;

    /// <summary>The path a slot's vector was computed from; null when it was not computed.</summary>
    public string? PathOf(int slot)
    {
        var codes = Volatile.Read(ref _codes);
        var code = (uint)slot < (uint)codes.Length ? codes[slot] : 0;
        return code == 0 ? null : Volatile.Read(ref _paths)[code - 1];
    }

    /// <summary>Whether vectors may be marked with this path besides those there are.</summary>
    public bool Takes(string path) =>
        path.Length <= EmbeddingSource.MaxPathLength && (_paths.Length < MaxPaths || _paths.Contains(path));

    /// <summary>Marks a slot, which no reader sees yet.</summary>
    public void Set(int slot, string? path)
    {
        if (path is null)
        {
            if (slot < _codes.Length)
                _codes[slot] = 0;
            return;
        }

        var code = Array.IndexOf(_paths, path) + 1;
        if (code == 0)
        {
            Volatile.Write(ref _paths, [.. _paths, path]);
            code = _paths.Length;
        }

        if (slot >= _codes.Length)
        {
            var codes = new byte[Math.Max(1024, slot + 1 + (slot / 2))];
            _codes.CopyTo(codes, 0);
            Volatile.Write(ref _codes, codes);
        }

        _codes[slot] = checked((byte)code);
    }

    /// <summary>
    /// Writes the number of paths (4), each path's length (4) and UTF-8, the number of slots (4), and a byte a slot: 0 or the path's
    /// number, from 1. Slots that <paramref name="has"/> does not name may be marked meanwhile.
    /// </summary>
    public void Save(BinaryWriter writer, int slots, Func<int, bool> has)
    {
        // In this order: the codes that are read have their paths.
        var codes = Volatile.Read(ref _codes);
        var paths = Volatile.Read(ref _paths);
        writer.Write(paths.Length);
        foreach (var path in paths)
        {
            var bytes = Encoding.UTF8.GetBytes(path);
            writer.Write(bytes.Length);
            writer.Write(bytes);
        }

        var written = Math.Min(slots, codes.Length);
        writer.Write(written);
        for (var slot = 0; slot < written; slot++)
            writer.Write(has(slot) ? codes[slot] : (byte)0);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="GranaryException">It does not fit the slots.</exception>
    public void Load(BinaryReader reader, string section, int slots)
    {
        var paths = new string[Within(reader.ReadInt32(), MaxPaths)];
        for (var i = 0; i < paths.Length; i++)
        {
            var bytes = reader.ReadBytes(Within(reader.ReadInt32(), EmbeddingSource.MaxPathLength * 3));
            paths[i] = Encoding.UTF8.GetString(bytes);
        }

        var codes = new byte[Within(reader.ReadInt32(), slots)];
        reader.BaseStream.ReadExactly(codes);
        foreach (var code in codes)
            Within(code, paths.Length);
        (_codes, _paths) = (codes, paths);

        int Within(int value, int most) => value >= 0 && value <= most
            ? value : throw Manifest.Damaged(section, 0, $"it says {value} where {most} is the most");
    }
}
