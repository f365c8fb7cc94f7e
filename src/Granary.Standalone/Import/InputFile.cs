using System.IO.Compression;

namespace Granary.Standalone.Import;

/// <summary>A file to import.</summary>
/// <param name="Path">As it is opened and reported.</param>
/// <param name="Format">How it is written.</param>
internal sealed record InputFile(string Path, InputFormat Format)
{
    private static readonly Dictionary<string, InputFormat> Extensions = new(StringComparer.OrdinalIgnoreCase)
    {
        [".jsonl"] = InputFormat.JsonLines,
        [".ndjson"] = InputFormat.JsonLines,
        [".json"] = InputFormat.JsonLines,
        [".csv"] = InputFormat.Csv,
        [".txt"] = InputFormat.Text,
        [".text"] = InputFormat.Text,
        [".md"] = InputFormat.Text,
        [".markdown"] = InputFormat.Text,
    };

    /// <summary>
    /// What ids are made of: the path below the folder that was given, or the file's own name; written alike on every system, so the same
    /// folder gives the same ids wherever it lies.
    /// </summary>
    public string Name { get; init; } = System.IO.Path.GetFileName(Path);

    private bool IsGzip => Path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);

    /// <summary>The files that a path stands for: itself, or everything of a known format below a folder, in the order of names.</summary>
    public static IEnumerable<InputFile> Find(string path, InputFormat format)
    {
        if (!Directory.Exists(path))
            return [new InputFile(path, format != InputFormat.Auto ? format : Detect(path))];
        return Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false })
            .Order(StringComparer.Ordinal)
            .Select(file => new InputFile(file, format != InputFormat.Auto ? format : ByExtension(file))
            {
                Name = Portable(System.IO.Path.GetRelativePath(path, file)),
            })
            .Where(static file => file.Format != InputFormat.Auto);
    }

    /// <summary>Where several inputs of one import have the same name, they go by the paths that were given.</summary>
    public static IReadOnlyList<InputFile> Distinguish(IReadOnlyList<InputFile> files)
    {
        var names = files.CountBy(static file => file.Name).ToDictionary(StringComparer.Ordinal);
        return [.. files.Select(file => names[file.Name] == 1 ? file : file with { Name = Portable(file.Path) })];
    }

    /// <summary>Opens it; bytes taken from the disk are added to <paramref name="read"/>.</summary>
    public Stream Open(Action<int> read)
    {
        var file = new CountingStream(
            new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan), read);
        return IsGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    private static string Portable(string path) => path.Replace('\\', '/');

    private static InputFormat ByExtension(string path)
    {
        if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            path = path[..^3];
        return Extensions.GetValueOrDefault(System.IO.Path.GetExtension(path), InputFormat.Auto);
    }

    /// <summary>By the name, else JSON lines where the first character is a brace, else left open.</summary>
    private static InputFormat Detect(string path)
    {
        var format = ByExtension(path);
        if (format != InputFormat.Auto || !File.Exists(path))
            return format;
        using var stream = new InputFile(path, InputFormat.Auto).Open(static _ => { });
        for (int c; (c = stream.ReadByte()) >= 0;)
        {
            if (c is not (' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF))
                return c == '{' ? InputFormat.JsonLines : InputFormat.Auto;
        }

        return InputFormat.Text;
    }

    /// <summary>Tells how many bytes were read.</summary>
    private sealed class CountingStream(Stream inner, Action<int> read) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var count = inner.Read(buffer);
            read(count);
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            read(count);
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
