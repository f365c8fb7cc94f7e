using System.IO.MemoryMappedFiles;
using Granary.Index.Checkpoints;

namespace Granary.Index.Tests.Checkpoints;

/// <summary>A checkpoint in a folder, whose sections can be mapped; counts those that are.</summary>
internal sealed class FolderCheckpoint : ICheckpointWriter, ICheckpointReader, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("granary-test");

    /// <summary>Sections that are mapped now.</summary>
    public int Mapped { get; private set; }

    public string PathOf(string section) => Path.Combine(_folder.FullName, section);

    public Stream Create(string section) => File.Create(PathOf(section));

    public Stream Open(string section) => File.OpenRead(PathOf(section));

    public MappedSection? TryMap(string section) => new Section(this, PathOf(section));

    /// <summary>Everything that is in the folder now.</summary>
    public Dictionary<string, byte[]> Contents() =>
        _folder.EnumerateFiles().ToDictionary(file => file.Name, file => File.ReadAllBytes(file.FullName));

    public void Dispose() => _folder.Delete(recursive: true);

    private sealed unsafe class Section : MappedSection
    {
        private readonly FolderCheckpoint _owner;
        private readonly MemoryMappedFile _file;
        private readonly MemoryMappedViewAccessor _view;
        private bool _disposed;

        public Section(FolderCheckpoint owner, string path)
        {
            _owner = owner;
            _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.CopyOnWrite);
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.CopyOnWrite);
            byte* pointer = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            Pointer = pointer;
            Length = new FileInfo(path).Length;
            owner.Mapped++;
        }

        public override byte* Pointer { get; }

        public override long Length { get; }

        public override bool IsFile => true;

        public override void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            _owner.Mapped--;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }
}
