using Granary.Index.Checkpoints;

namespace Granary.Index.Tests.Checkpoints;

/// <summary>A checkpoint in memory, whose bytes tests may damage.</summary>
internal sealed class MemoryCheckpoint : ICheckpointWriter, ICheckpointReader
{
    public Dictionary<string, byte[]> Sections { get; } = [];

    /// <summary>Called before a section is begun.</summary>
    public Action<string>? Creating { get; init; }

    public Stream Create(string section)
    {
        Creating?.Invoke(section);
        return new Section(this, section);
    }

    public Stream Open(string section) => Sections.TryGetValue(section, out var bytes)
        ? new MemoryStream(bytes)
        : throw new GranaryException(ErrorKind.Corrupted, $"no section {section}");

    public MappedSection? TryMap(string section) => null;

    private sealed class Section(MemoryCheckpoint owner, string name) : MemoryStream
    {
        protected override void Dispose(bool disposing)
        {
            owner.Sections[name] = ToArray();
            base.Dispose(disposing);
        }
    }
}
