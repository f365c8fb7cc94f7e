namespace Granary.Storage.Tests.Simulation;

/// <summary>A file or folder on the simulated disk, as it is now and as it would be found after a power cut.</summary>
internal abstract class SimulatedNode
{
    /// <summary>What a power cut leaves: everything synced, and with a source of chance also some of what was not.</summary>
    public abstract SimulatedNode AfterCut(Random? chance);
}

internal sealed class SimulatedFile : SimulatedNode
{
    private const int Sector = 64;
    private readonly List<(long Offset, byte[]? Bytes)> _unsynced = [];
    private byte[] _durable = [];

    public byte[] Content { get; private set; } = [];

    public void Write(byte[] bytes, long offset)
    {
        Content = Written(Content, bytes, offset);
        _unsynced.Add((offset, bytes));
    }

    public void SetLength(long length)
    {
        Content = Resized(Content, length);
        _unsynced.Add((length, null));
    }

    public void Sync()
    {
        _durable = Content;
        _unsynced.Clear();
    }

    /// <summary>Each sector of each unsynced write is on disk or is not, whatever the others are; so is each change of length.</summary>
    public override SimulatedNode AfterCut(Random? chance)
    {
        var content = _durable;
        foreach (var (offset, bytes) in chance is null ? [] : _unsynced)
        {
            if (bytes is null)
            {
                if (chance!.Next(2) == 0)
                    content = Resized(content, offset);
                continue;
            }

            for (var at = 0; at < bytes.Length; at += Sector)
            {
                if (chance!.Next(3) > 0)
                    content = Written(content, bytes[at..Math.Min(bytes.Length, at + Sector)], offset + at);
            }
        }

        return new SimulatedFile { Content = content, _durable = content };
    }

    private static byte[] Written(byte[] content, byte[] bytes, long offset)
    {
        var result = Resized(content, Math.Max(content.Length, offset + bytes.Length));
        bytes.CopyTo(result, offset);
        return result;
    }

    private static byte[] Resized(byte[] content, long length)
    {
        var result = new byte[length];
        content.AsSpan(0, (int)Math.Min(content.Length, length)).CopyTo(result);
        return result;
    }
}

internal sealed class SimulatedFolder : SimulatedNode
{
    private readonly List<Action<Dictionary<string, SimulatedNode>>> _unsynced = [];
    private Dictionary<string, SimulatedNode> _durable = new(StringComparer.Ordinal);

    public Dictionary<string, SimulatedNode> Entries { get; private set; } = new(StringComparer.Ordinal);

    /// <summary>One atomic change of names.</summary>
    public void Change(Action<Dictionary<string, SimulatedNode>> change)
    {
        change(Entries);
        _unsynced.Add(change);
    }

    public void Sync()
    {
        _durable = new(Entries, StringComparer.Ordinal);
        _unsynced.Clear();
    }

    /// <summary>Changes of names reach the disk in their order, as a journal keeps them: some first ones have.</summary>
    public override SimulatedNode AfterCut(Random? chance)
    {
        var entries = new Dictionary<string, SimulatedNode>(_durable, StringComparer.Ordinal);
        foreach (var change in _unsynced.Take(chance?.Next(_unsynced.Count + 1) ?? 0))
            change(entries);
        var after = entries.ToDictionary(e => e.Key, e => e.Value.AfterCut(chance), StringComparer.Ordinal);
        return new SimulatedFolder { Entries = after, _durable = new(after, StringComparer.Ordinal) };
    }
}
